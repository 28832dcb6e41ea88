"""Doing one round on the broker: for the role, and for `memlane reconcile`."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aio_pika.abc import AbstractConnection

from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import Standing
from memlane.contracts.topology import lane_queue
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.declare import queue_depths
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.rounds import report_round
from memlane.storage.sink import Sink
from memlane.workers.aggregator.asking import LocalAsker
from memlane.workers.lane_sender import LaneSender
from memlane.workers.reconciler.levelling import Levelling
from memlane.workers.reconciler.repairs import RepairBook, Repairs
from memlane.workers.reconciler.round import Manner, OnDifference, OnProgress, Round
from memlane.workers.reconciler.taking_part import participants
from memlane.workers.settings import WorkerSettings
from memlane.workers.sink_reader import SinkReader
from memlane.workers.watched_ask import watched_ask


@dataclass(frozen=True, slots=True)
class Reconciling:
    """What rounds need of the broker. One connection, whose channels nobody else uses.

    Attributes:
        connection: to the broker.
        reader: of the sinks.
        publisher: of repairs, notices and reports.
        repairs: to the lanes.
        book: what is not sent again.
        settings: of this worker.
    """

    connection: AbstractConnection
    reader: SinkReader
    publisher: Publisher
    repairs: Repairs
    book: RepairBook
    settings: WorkerSettings

    async def round(
        self,
        manner: Manner,
        levelling: Levelling,
        standings: Mapping[str, Standing],
        on_progress: OnProgress = lambda _done, _of: None,
        on_difference: OnDifference = lambda _lack: None,
    ) -> RoundReport:
        """Does one round, tells of it, and says of which sinks it follows that they are level.

        Args:
            manner: how.
            levelling: who says so.
            standings: of all sinks.
            on_progress: told after each step.
            on_difference: told of each that was found.

        Raises:
            BrokerError: the broker went away, or refuses.
            SinkUnavailable: a sink went away meanwhile.
        """
        taking_part = await participants(
            self.reader, self.settings.sink_names, standings, await self._backlogs()
        )
        one = Round(
            taking_part,
            self.reader,
            None if manner.dry_run else self.repairs,
            book=self.book,
            poison={sink: standing.poison for sink, standing in standings.items()},
            manner=manner,
            on_progress=on_progress,
            on_difference=on_difference,
        )
        report = await one.run()
        if not manner.dry_run:
            await report_round(self.publisher, report)
            await levelling.after(report, standings, self.publisher)
        return report

    async def _backlogs(self) -> dict[str, int | None]:
        names = self.settings.sink_names
        depths = await queue_depths(self.connection, [lane_queue(name) for name in names])
        found = {name: depths[lane_queue(name)] for name in names}
        return {name: None if depth is None else depth[0] for name, depth in found.items()}


@asynccontextmanager
async def reconciling(
    connection: AbstractConnection,
    settings: WorkerSettings,
    book: RepairBook,
    local: Sequence[Sink] = (),
) -> AsyncIterator[Reconciling]:
    """What rounds need, on a connection.

    Args:
        connection: to the broker.
        settings: of this worker.
        book: of all rounds of this process.
        local: sinks that are open in this process.
    """
    account = user_of(settings.url)
    publisher = await Publisher.open(connection, user_id=account)
    try:
        sender = LaneSender(publisher)
        await sender.open()
        async with watched_ask(connection, account) as remote:
            reader = SinkReader(LocalAsker({sink.name: sink for sink in local}, remote))
            yield Reconciling(connection, reader, publisher, Repairs(sender, book), book, settings)
    finally:
        await publisher.channel.close()
