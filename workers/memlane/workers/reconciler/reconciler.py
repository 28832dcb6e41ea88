"""Does rounds, one after the other, until it is stopped."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import PublishFailed, loggable
from memlane.contracts.rounds import RoundReport
from memlane.producers import log_keys
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.lease import LeaseTaken, lease
from memlane.storage.errors import SinkUnavailable
from memlane.storage.sink import Sink
from memlane.workers.reconciler.doing import Reconciling, reconciling
from memlane.workers.reconciler.levelling import Levelling
from memlane.workers.reconciler.repairs import RepairBook
from memlane.workers.reconciler.round import Manner
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings

log: Final = structlog.get_logger("memlane.reconciler")

LEASE: Final = "reconcile"
"""Two rounds at once would send everything twice."""

SOON: Final = timedelta(seconds=1)
"""Before the first round, and between rounds while a sink is rebuilding."""


class Reconciler(ConnectedRole):
    """Compares the sinks at an interval, and repairs them. Any number may run: one at a time does a round.

    Args:
        settings: of this worker.
        standings: which sinks are rebuilding: for those, rounds follow each other at once.
        local: sinks that are open in this process.
    """

    def __init__(self, settings: WorkerSettings, standings: Standings, local: Sequence[Sink] = ()) -> None:
        super().__init__("reconciler", settings)
        self._standings = standings
        self._local = local
        self._book = RepairBook()
        self._manner = Manner(grace=settings.reconcile_grace)
        self._levelling = Levelling(settings.reconcile_grace, user_of(settings.url))

    async def _session(self, connection: AbstractConnection) -> None:
        async with reconciling(connection, self._settings, self._book, self._local) as doing:
            self.state.to("running")
            # Rebuilders that start with it look at what the last round found, before it reports another.
            await self._pause(SOON)
            while not self._stopping.is_set():
                try:
                    await self._until_stopped(self._round(connection, doing))
                except (SinkUnavailable, PublishFailed) as error:
                    line = "a round broke off, the next one goes on"
                    log.warning(line, **{log_keys.ERROR: loggable(error)})
                await self._until_next()

    async def _round(self, connection: AbstractConnection, doing: Reconciling) -> None:
        with suppress(LeaseTaken):
            async with lease(connection, LEASE):
                standings = {sink: self._standings.of(sink) for sink in self._settings.sink_names}
                _tell(await doing.round(self._manner, self._levelling, standings))

    async def _until_next(self) -> None:
        """Waits for the interval; shortly while, or as soon as, a sink is rebuilding."""
        if self._is_rebuilding():
            await self._pause(SOON)
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(self._settings.reconcile_interval.total_seconds()):
                await self._until_stopped(self._standings.until(self._is_rebuilding))

    def _is_rebuilding(self) -> bool:
        return any(self._standings.of(sink).rebuilding for sink in self._settings.sink_names)


def _tell(report: RoundReport) -> None:
    for sink, one in report.sinks.items():
        if one.lacked or one.damaged:
            log.warning(
                "sinks differed",
                **{
                    log_keys.SINK: sink,
                    log_keys.COUNT: one.lacked,
                    log_keys.REPAIRED: one.repaired,
                    log_keys.DAMAGED: one.damaged,
                },
            )
