"""`memlane dead retry`."""

from datetime import timedelta

import click
from aio_pika.abc import AbstractConnection

from memlane.contracts.clock import HybridClock
from memlane.producers.broker.connection import user_of
from memlane.producers.cli.dead.acting import Order, carry_out, plan_of
from memlane.producers.cli.dead.carrying_out import Act, Report
from memlane.producers.cli.dead.options import acting_options, selecting_options, selection_from
from memlane.producers.cli.dead.retrying import Retrier, new_versions
from memlane.producers.cli.dead.summary import tell_summary
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings


@click.command()
@click.argument("sink")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@selecting_options
@acting_options
@click.option("--restamp", is_flag=True, help="Commands from the future count as written now.")
@broker_options
def retry(
    *,
    sink: str,
    ids: tuple[str, ...],
    errors: tuple[str, ...],
    older_than: timedelta | None,
    newer_than: timedelta | None,
    everything: bool,
    limit: int | None,
    rate: float | None,
    dry_run: bool,
    restamp: bool,
) -> None:
    """Send parked commands of SINK back to its lane, as if they came for the first time.

    By ID (the versions that `memlane dead list` shows), by class of error, by age, or --all. Copies of the
    same message are sent once, and all of them leave the queue, when RabbitMQ has confirmed it. What fails
    again is parked again. Retrying what is applied already, or is older than what is there, changes nothing.

    Ages count from when a lane first failed at a command. A retry does not begin that anew.

    --restamp: a command whose version lay too far in the future (VersionFromFuture, from a clock that was
    wrong) gets a new version, of now: it counts as written now, wins over whatever was written to its
    address until now, and goes to all sinks. Without it such a command is retried as it is, and parked again
    while its version still lies in the future.
    """
    order = Order(
        verb="retry",
        sink=sink,
        selection=selection_from(ids, errors, older_than, newer_than, everything=everything),
        limit=limit,
        rate=rate,
    )
    settings = settings_from(BrokerSettings)
    plan = plan_of(order, settings)
    if dry_run:
        tell_summary("retry", sink, plan, Report(), dry_run=True)
        return
    retriers: list[Retrier] = []

    async def open_act(connection: AbstractConnection) -> Act:
        stamps = new_versions(plan.from_future, HybridClock()) if restamp else {}
        retriers.append(await Retrier.open(connection, sink, user_of(settings.url), stamps))
        return retriers[0].retry

    report = carry_out(order, settings, plan, open_act, "retrying")
    tell_summary("retry", sink, plan, report, dry_run=False, restamped=retriers[0].restamped)
