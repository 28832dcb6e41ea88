"""One replay: where it begins, or goes on; what is said of it meanwhile; whether the log has a gap."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import BrokerError
from memlane.contracts.instants import now
from memlane.contracts.query import StatsQuestion
from memlane.contracts.standing import Standing
from memlane.contracts.topology import LOG, lane_queue
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.declare import queue_depths
from memlane.producers.broker.lease import lease
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say, standings_now
from memlane.producers.broker.stream import begin_of
from memlane.producers.ending import end
from memlane.producers.groups import first_of
from memlane.workers.access import worker_accounts_of
from memlane.workers.rebuilder.backfill import Backfill, Progress, Stretch
from memlane.workers.replay.wanted import Point, Wanted, offset_of, point_of
from memlane.workers.settings import WorkerSettings
from memlane.workers.watched_ask import watched_ask

SAY_SECONDS: Final = 2.0
"""How often it is said how far a replay has come; a killed one goes on from there."""

CHECK_SECONDS: Final = 2.0
"""A sink that does not answer by then is down, maybe: its lane takes the commands later."""

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay came to.

    Attributes:
        progress: of the part that this run did.
        resumed_at: the offset at which it went on; None where it began anew.
        gap: whether the log does not go back as far as was wanted.
        levelled: whether the sink was rebuilding, and holds now what it should.
    """

    progress: Progress
    resumed_at: int | None
    gap: bool
    levelled: bool


class Replay:
    """A replay to one sink's lane.

    Args:
        sink: its name.
        wanted: which stretch.
        settings: of this worker.
    """

    def __init__(self, sink: str, wanted: Wanted, settings: WorkerSettings) -> None:
        self._sink = sink
        self._wanted = wanted
        self._settings = settings
        self._account = user_of(settings.url)
        self._workers = worker_accounts_of(settings)

    async def run(
        self,
        connection: AbstractConnection,
        *,
        restart: bool = False,
        on_progress: OnProgress = lambda _progress: None,
    ) -> ReplayReport:
        """Does it. A run that was broken off goes on where it was, if the same is wanted again.

        Args:
            connection: to the broker.
            restart: whether to begin anew all the same.
            on_progress: told now and then.

        Raises:
            LeaseTaken: a replay to that sink is under way.
            InvalidInput: that is no place in the log.
            NotAWorker: the lane would refuse what this account sends.
            BrokerError: the broker went away; the next run goes on.
        """
        until = self._wanted.until
        points = point_of(self._wanted.begin, "from"), None if until is None else point_of(until, "until")
        async with lease(connection, f"rebuild.{self._sink}"):
            await self._check_account(connection)
            publisher = await Publisher.open(connection, user_id=self._account)
            try:
                standing = (await standings_now(connection))[self._sink]
                resumed_at = None if restart else self._left_at(standing)
                stretch = await self._stretch(connection, publisher, points, resumed_at)
                return await self._do(
                    connection,
                    publisher,
                    stretch,
                    standing,
                    resumed_at=resumed_at,
                    on_progress=on_progress,
                )
            finally:
                await publisher.channel.close()

    async def _check_account(self, connection: AbstractConnection) -> None:
        """Where there are access rules, a lane takes other people's commands from workers only."""
        async with watched_ask(connection, self._account) as ask:
            await ask(self._sink, [StatsQuestion()], now(), CHECK_SECONDS)

    def _left_at(self, standing: Standing) -> int | None:
        """The offset at which an earlier run of the same replay was broken off."""
        before = standing.replaying
        return before.offset if before is not None and before.reason == str(self._wanted) else None

    async def _stretch(
        self,
        connection: AbstractConnection,
        publisher: Publisher,
        points: tuple[Point, Point | None],
        resumed_at: int | None,
    ) -> Stretch:
        begin, until = points
        return Stretch(
            begin=await offset_of(connection, publisher, begin if resumed_at is None else resumed_at),
            until=None if until is None else await offset_of(connection, publisher, until),
            rate=self._wanted.rate,
        )

    async def _do(
        self,
        connection: AbstractConnection,
        publisher: Publisher,
        stretch: Stretch,
        standing: Standing,
        *,
        resumed_at: int | None,
        on_progress: OnProgress,
    ) -> ReplayReport:
        gap = await self._has_gap(connection, publisher, stretch, fresh=resumed_at is None)
        backfill = Backfill(
            self._sink,
            await Publisher.open(connection, user_id=self._account),
            workers=self._workers,
            poison=standing.poison,
            is_working=lambda: self._is_working(connection),
            stretch=stretch,
        )
        telling = asyncio.create_task(self._tell(publisher, backfill.progress, on_progress))
        try:
            await self._say(publisher, backfill.progress, stretch)
            await backfill.run(connection)
        except ExceptionGroup as group:
            raise first_of(group) from group
        finally:
            await end(telling)
            with suppress(BrokerError):
                await self._say(publisher, backfill.progress, stretch)
        on_progress(backfill.progress)
        await say(publisher, self._sink, "replayed", by=self._account, reason=str(self._wanted))
        levelled = await self._level(publisher, standing, gap=gap)
        return ReplayReport(backfill.progress, resumed_at, gap, levelled)

    async def _has_gap(
        self, connection: AbstractConnection, publisher: Publisher, stretch: Stretch, *, fresh: bool
    ) -> bool:
        """Whether retention has cut off what was wanted; of a time, whether it may have."""
        first = await begin_of(connection, publisher, LOG)
        if first == 0:
            return False
        begin = stretch.begin
        return isinstance(begin, int) and (begin < first or (fresh and begin == first))

    async def _level(self, publisher: Publisher, standing: Standing, *, gap: bool) -> bool:
        """A sink that was rebuilding, and got all that there is, holds what it should."""
        since = standing.rebuilding
        if since is None or gap or not self._wanted.is_whole:
            return False
        await say(publisher, self._sink, "level", by=self._account, ends=since.at)
        return True

    async def _tell(self, publisher: Publisher, progress: Progress, on_progress: OnProgress) -> None:
        said = progress.offset
        while True:
            on_progress(progress)
            await asyncio.sleep(SAY_SECONDS)
            if progress.offset != said:
                said = progress.offset
                with suppress(BrokerError):
                    await say(
                        publisher,
                        self._sink,
                        "replaying",
                        by=self._account,
                        reason=str(self._wanted),
                        offset=said,
                    )

    async def _say(self, publisher: Publisher, progress: Progress, stretch: Stretch) -> None:
        begin = stretch.begin if isinstance(stretch.begin, int) else None
        offset = progress.offset if progress.offset is not None else begin
        reason = str(self._wanted)
        await say(publisher, self._sink, "replaying", by=self._account, reason=reason, offset=offset)

    async def _is_working(self, connection: AbstractConnection) -> bool:
        """Whether somebody takes commands for the sink."""
        depth = (await queue_depths(connection, [lane_queue(self._sink)]))[lane_queue(self._sink)]
        return depth is not None and depth[1] > 0
