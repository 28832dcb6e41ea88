"""Makes the scheduled backups: one in a deployment, however many of these run."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import BrokerUnreachable, MemlaneError, loggable
from memlane.contracts.instants import now as wall_clock
from memlane.producers import log_keys
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.lease import LeaseTaken, lease
from memlane.producers.ending import end
from memlane.workers.aggregator.asking import Ask
from memlane.workers.backup.folder import BackupFolder, scheduled_name
from memlane.workers.backup.making import Made, make_backup
from memlane.workers.backup.schedule import last_due, next_due
from memlane.workers.backup.source import choose_source
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings
from memlane.workers.watched_ask import watched_ask

log: Final = structlog.get_logger("memlane.backups")

LEASE: Final = "backups"
AGAIN: Final = timedelta(minutes=1)
"""After a backup that could not be made; and so often, at the least, the clock is looked at."""

FIRST_AFTER: Final = timedelta(seconds=10)
"""After the start: by then the rebuilders have seen whether a store was wiped, or is an old copy."""

_NOT_MADE: Final = "a backup that is due could not be made, and is tried again"


class BackupScheduler(ConnectedRole):
    """Makes a backup whenever one is due, until it is stopped; at the start, what was missed.

    A backup that is under way when it is stopped is not kept: it is made at the next start.

    One process of the deployment holds the lease and does it; the others take over when that one ends.

    Args:
        settings: of this worker.
        standings: what is known about the sinks: one that lacks commands is not backed up.
        now: the clock.
        again: how long to wait after a backup that could not be made.
        first_after: how long to wait after the start, so that nothing is made of a store that was just wiped.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        standings: Standings,
        *,
        now: Callable[[], datetime] = wall_clock,
        again: timedelta = AGAIN,
        first_after: timedelta = FIRST_AFTER,
    ) -> None:
        super().__init__("backups", settings)
        self._standings = standings
        self._now = now
        self._again = again
        self._first_after = first_after
        self._folder = BackupFolder(settings.backup_dir)

    async def _session(self, connection: AbstractConnection) -> None:
        while not self._stopping.is_set():
            try:
                async with lease(connection, LEASE):
                    self.state.to("running")
                    await self._pause(self._first_after)
                    await self._make_all(connection)
            except LeaseTaken:
                self.state.to("running", "another worker makes the backups")
                await self._pause(self._settings.watch_interval)

    async def _make_all(self, connection: AbstractConnection) -> None:
        expression = self._settings.backup_schedule
        while not self._stopping.is_set():
            due = last_due(expression, self._now())
            wait = AGAIN
            if due is not None and not self._folder.has_scheduled(due):
                made = await self._try(connection, due)
                wait = AGAIN if made else self._again
            following = next_due(expression, self._now())
            await self._pause(wait if following is None else min(wait, following - self._now()))

    async def _try(self, connection: AbstractConnection, due: datetime) -> bool:
        """Makes the backup that is due; whether it could be made."""
        try:
            await self._make(connection, due)
        except (BrokerUnreachable, *CONNECTION_EXCEPTIONS):
            raise
        except MemlaneError as error:
            problem = str(error)
            log.warning(_NOT_MADE, **{log_keys.ERROR: problem})
        except Exception as error:
            problem = loggable(error)
            log.exception(_NOT_MADE)
        else:
            self.state.to("running")
            return True
        self.state.to("running", f"no backup of {due:%Y-%m-%d %H:%M} UTC yet: {problem}")
        return False

    async def _make(self, connection: AbstractConnection, due: datetime) -> None:
        async with watched_ask(connection, user_of(self._settings.url)) as ask:
            # Only this is broken off by a stop, never what speaks to the broker around it: a channel whose
            # closing is cancelled costs the connection.
            made = await self._unless_stopped(self._read(ask, due))
        if made is not None:
            self._tell(made)
            await self._remove_old()

    async def _read(self, ask: Ask, due: datetime) -> Made:
        settings = self._settings
        source = await choose_source(ask, settings.sink_names, self._standings.of, settings.backup_sink)
        return await make_backup(self._folder, source, scheduled_name(due), due=due)

    async def _unless_stopped(self, making: Coroutine[None, None, Made]) -> Made | None:
        task = asyncio.ensure_future(making)
        stopped = asyncio.ensure_future(self._stopping.wait())
        # Any: of two kinds of futures.
        waited: set[asyncio.Future[Any]] = {task, stopped}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            await end(task, stopped)

    def _tell(self, made: Made) -> None:
        log.info(
            "a backup was made",
            **{
                log_keys.BACKUP: made.header.name,
                log_keys.SINK: made.header.sink,
                log_keys.COUNT: made.trailer.counts.total,
            },
        )
        if lost := made.trailer.counts.unread:
            log.error("rows had no content in any sink: a backup lacks them", **{log_keys.COUNT: lost})

    async def _remove_old(self) -> None:
        try:
            for name in await asyncio.to_thread(self._folder.retain, self._settings.backup_keep):
                log.info("an old backup was removed", **{log_keys.BACKUP: name})
        except OSError as error:
            log.warning("old backups could not be removed, and stay", **{log_keys.ERROR: loggable(error)})
