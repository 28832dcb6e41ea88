"""Watches one sink's store, and fills it where it lacks commands."""

import asyncio
from contextlib import AsyncExitStack, suppress
from datetime import datetime
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import MemlaneError, PublishFailed, loggable
from memlane.contracts.standing import Event, Notice, Standing
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect, run_until_closed, user_of
from memlane.producers.broker.lease import LeaseTaken, lease
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.rounds import last_round
from memlane.producers.broker.standings import say
from memlane.producers.ending import end
from memlane.storage.identity import StoreIdentity
from memlane.storage.sink import Sink
from memlane.workers.access import worker_accounts_of
from memlane.workers.late_sink import LateSink
from memlane.workers.rebuilder.backfill import Backfill
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings

log: Final = structlog.get_logger("memlane.rebuilder")

WIPED: Final = "its store was wiped, or made anew"
WENT_BACK: Final = "its store went back to an older state"


class Rebuilder(ConnectedRole):
    """Looks at a sink's identity until it is stopped; says when its store lacks commands.

    The reconciler fills it from the other sinks. Where those can't, this backfills it from the command log.
    Any number of them may run for a sink: one at a time does the work.

    Args:
        sink: entered.
        settings: of this worker.
        standings: what is known about the sinks.
    """

    def __init__(self, sink: Sink, settings: WorkerSettings, standings: Standings) -> None:
        super().__init__(f"rebuilder {sink.name}", settings)
        self._sink = sink
        self._standings = standings
        self._seen: StoreIdentity | None = None
        self._compared: StoreIdentity | None = None
        self._in_vain: datetime | None = None
        self._workers = worker_accounts_of(settings)

    async def _session(self, reading: AbstractConnection) -> None:
        async with AsyncExitStack() as exits:
            name = f"memlane rebuilder {self._sink.name} publish"
            publishing = await exits.enter_async_context(await connect(self._settings.url, name))

            async def work(_connection: AbstractConnection) -> None:
                await self._remember(reading)
                while not self._stopping.is_set():
                    await self._until_stopped(self._look(reading, publishing))
                    await self._pause(self._settings.watch_interval)

            await run_until_closed(publishing, work)

    async def _look(self, reading: AbstractConnection, publishing: AbstractConnection) -> None:
        """Finds out whether the store lacks commands, and fills it."""
        try:
            store = await self._sink.health()
        except Exception as error:  # noqa: BLE001  whatever it is, the sink can't be filled now
            self.state.to("waiting", loggable(error))
            return
        if self.state.condition != "running":
            self.state.to("running")
        try:
            await self._look_at(store, reading, publishing)
        except PublishFailed as error:
            # The broker takes nothing now. What is to be said is said at the next look.
            self.state.to("waiting", str(error))

    async def _look_at(
        self, store: StoreIdentity, reading: AbstractConnection, publishing: AbstractConnection
    ) -> None:
        publisher = await Publisher.open(publishing, user_id=user_of(self._settings.url))
        try:
            await self._compare(store, publisher)
            standing = self._standings.of(self._sink.name)
            since = standing.rebuilding
            idle = standing.cut_off or standing.paused
            if since and since.at != self._in_vain and not idle and self._is_left_to_the_log(standing):
                with suppress(LeaseTaken):
                    async with lease(publishing, f"rebuild.{self._sink.name}"):
                        await self._rebuild(store, reading, publishing)
        finally:
            await publisher.channel.close()

    def _is_left_to_the_log(self, standing: Standing) -> bool:
        """Whether no other sink can bring it level."""
        peers = [self._standings.of(sink) for sink in self._settings.sink_names if sink != self._sink.name]
        return standing.from_log or all(peer.rebuilding or peer.cut_off for peer in peers)

    async def _remember(self, connection: AbstractConnection) -> None:
        """How far the store had come when it was last compared: it may have gone back while no worker ran."""
        if self._seen is None and (report := await last_round(connection)) is not None:
            one = report.sinks.get(self._sink.name)
            if one is not None and one.incarnation is not None and one.changes is not None:
                self._compared = StoreIdentity(one.incarnation, one.changes)

    def _went_back(self, store: StoreIdentity) -> bool:
        """Whether the store has fewer changes than it had: at the last look, or when it was last compared.

        For that, what counts is how it was when this process found it: its lane has added to it since.
        """
        found = self._sink.first_seen if isinstance(self._sink, LateSink) else None
        return _is_behind(store, self._seen) or _is_behind(found or store, self._compared)

    async def _compare(self, store: StoreIdentity, publisher: Publisher) -> None:
        """Says what is new about the store."""
        sink, known = self._sink.name, self._standings.of(self._sink.name).incarnation
        went_back = self._went_back(store)
        self._seen, self._compared = store, None
        if known is None:
            if (lacks := self._standings.of(sink).rebuilding) is None:
                await self._say(publisher, "known", store)
            else:
                await self._say(publisher, "rebuilding", store, lacks.reason)
        elif known != store.incarnation:
            await self._say(publisher, "rebuilding", store, WIPED)
        elif went_back:
            await self._say(publisher, "rebuilding", store, WENT_BACK)
        else:
            return
        # Until it has come back by the stream, it would be said again.
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.watch_interval.total_seconds()):
                await self._standings.until(lambda: self._standings.of(sink).incarnation == store.incarnation)

    async def _rebuild(
        self, store: StoreIdentity, reading: AbstractConnection, publishing: AbstractConnection
    ) -> None:
        since = self._standings.of(self._sink.name).rebuilding
        if since is None:
            # Somebody else was quicker.
            return
        publisher = await Publisher.open(publishing, user_id=user_of(self._settings.url))
        backfill = Backfill(
            self._sink.name,
            publisher,
            workers=self._workers,
            poison=self._standings.of(self._sink.name).poison,
            is_working=self._is_working,
        )
        telling = asyncio.create_task(self._tell(backfill))
        try:
            log.warning("sink lacks commands, and is filled from the log", **{log_keys.SINK: self._sink.name})
            await backfill.run(reading)
            await self._finish(backfill, store, publisher, since)
        except* MemlaneError as errors:
            first = errors.exceptions[0]
            log.warning(
                "filling the sink broke off, and is begun again",
                **{log_keys.SINK: self._sink.name, log_keys.ERROR: str(first)},
            )
        finally:
            await end(telling)
            await publisher.channel.close()
            self.state.to("running")

    async def _is_working(self) -> bool:
        try:
            await self._sink.health()
        except Exception:  # noqa: BLE001  whatever it is, the lane waits for it
            return False
        return self._standings.of(self._sink.name).paused is None

    async def _finish(
        self, backfill: Backfill, store: StoreIdentity, publisher: Publisher, since: Notice
    ) -> None:
        now = await self._sink.health()
        if now.incarnation != store.incarnation:
            return
        if backfill.progress.gap:
            self._in_vain = since.at
            log.error(
                "the command log does not go back to the beginning, so the sink still lacks commands",
                **{
                    log_keys.SINK: self._sink.name,
                    log_keys.HINT: "copy them from another sink, then `memlane sink level`",
                },
            )
            return
        await self._say(publisher, "level", now, ends=since.at)
        log.info(
            "sink holds what it should",
            **{log_keys.SINK: self._sink.name, log_keys.COUNT: backfill.progress.commands},
        )

    async def _say(
        self,
        publisher: Publisher,
        event: Event,
        store: StoreIdentity,
        reason: str = "",
        *,
        ends: datetime | None = None,
    ) -> None:
        by = user_of(self._settings.url)
        await say(
            publisher,
            self._sink.name,
            event,
            reason=reason,
            by=by,
            incarnation=store.incarnation,
            ends=ends,
        )

    async def _tell(self, backfill: Backfill) -> None:
        while True:
            self.state.to("running", f"rebuilding: {backfill.progress.commands:,} commands so far")
            await asyncio.sleep(self._settings.watch_interval.total_seconds())


def _is_behind(store: StoreIdentity, before: StoreIdentity | None) -> bool:
    """Whether it is the same store, with fewer changes."""
    return before is not None and store.incarnation == before.incarnation and store.changes < before.changes
