"""`memlane reconcile`: one round of the reconciler, by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import click
from aio_pika.abc import AbstractConnection

from memlane.contracts.rounds import RoundReport
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.lease import LeaseTaken, lease
from memlane.producers.broker.standings import standings_now
from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import broker_options
from memlane.workers.commands.round_shown import Differences, exit_code_of, show_round
from memlane.workers.commands.running import worker_settings
from memlane.workers.reconciler.doing import reconciling
from memlane.workers.reconciler.levelling import Levelling
from memlane.workers.reconciler.reconciler import LEASE
from memlane.workers.reconciler.repairs import RepairBook
from memlane.workers.reconciler.round import Manner
from memlane.workers.settings import WorkerSettings

TRIES: Final = 300
PAUSE_SECONDS: Final = 0.2
"""Between tries: a worker's own round is mostly over in a moment."""


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what differs; exit 1 if anything does.")
@click.option("--full", is_flag=True, help="Recount and compare every bucket, also where the digests agree.")
@click.option("--show", default=20, metavar="N", help="How many of the differences to name; 20 by default.")
@broker_options
def reconcile(*, dry_run: bool, full: bool, show: int) -> None:
    """Compare what the sinks hold, and repair where they differ.

    Workers do it all the time, see MEMLANE_RECONCILE_INTERVAL. A round compares digests of each sink, by 4096
    buckets, then the rows of those that differ; the newer row goes to the lane of the sink that lacks it,
    under its own version. What is younger than MEMLANE_RECONCILE_GRACE is left to the lanes.

    --full finds what was changed behind memlane's back, too, before the sweepers come to it.

    Elsewhere than on a terminal a line a sink, with tabs: sink, part, rows, lacked, repaired, waiting,
    parked, unreadable, gave, damaged, reason.

    The exit code is 1 where something is not repaired (yet), and 3 where a sink could not be compared.
    """
    settings = worker_settings()
    differences = Differences(show)
    manner = Manner(grace=settings.reconcile_grace, full=full, dry_run=dry_run)
    report = with_broker(
        settings, "reconcile", lambda connection: one_round(connection, settings, manner, differences)
    )
    differences.show()
    show_round(report)
    raise click.exceptions.Exit(exit_code_of(report))


async def one_round(
    connection: AbstractConnection, settings: WorkerSettings, manner: Manner, differences: Differences
) -> RoundReport:
    """One round, after the one that a worker may be doing.

    Raises:
        MemlaneError: a sink or the broker went away; or another round does not end.
    """
    standings = await standings_now(connection)
    known = {sink: standings[sink] for sink in settings.sink_names}
    levelling = Levelling(manner.grace, user_of(settings.url))
    with progress("comparing buckets") as told:
        async with (
            _turn(connection),
            reconciling(connection, settings, RepairBook()) as doing,
        ):
            return await doing.round(manner, levelling, known, told, differences.add)


@asynccontextmanager
async def _turn(connection: AbstractConnection) -> AsyncIterator[None]:
    """The lease, as soon as nobody else has it.

    Raises:
        LeaseTaken: not within a minute.
    """
    async with AsyncExitStack() as exits:
        for left in reversed(range(TRIES)):
            try:
                await exits.enter_async_context(lease(connection, LEASE))
                break
            except LeaseTaken:
                if not left:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        yield
