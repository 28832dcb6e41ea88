"""`memlane dead drop`."""

from datetime import timedelta

import click
from aio_pika.abc import AbstractConnection
from aiormq.abc import DeliveredMessage

from memlane.producers.cli.asking import confirm
from memlane.producers.cli.dead.acting import Order, carry_out, plan_of
from memlane.producers.cli.dead.carrying_out import Act, Report
from memlane.producers.cli.dead.letters import Letter
from memlane.producers.cli.dead.options import acting_options, selecting_options, selection_from
from memlane.producers.cli.dead.summary import tell_summary
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings


@click.command()
@click.argument("sink")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@selecting_options
@acting_options
@click.option("--yes", is_flag=True, help="Do not ask.")
@broker_options
def drop(
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
    yes: bool,
) -> None:
    """Throw parked commands of SINK away, for good. Asks, or takes --yes.

    By ID (the versions that `memlane dead list` shows), by class of error, by age (since a lane first failed
    at it), or --all. All copies of a message go. A message that holds several commands goes only if all of
    them are named.
    """
    selection = selection_from(ids, errors, older_than, newer_than, everything=everything, every_command=True)
    order = Order(verb="drop", sink=sink, selection=selection, limit=limit, rate=rate)
    settings = settings_from(BrokerSettings)
    plan = plan_of(order, settings)
    if dry_run:
        tell_summary("drop", sink, plan, Report(), dry_run=True)
        return
    confirm(f"Drop {count_of(plan.messages, 'message')} of the {plan.parked:,} parked for {sink}?", yes=yes)

    async def open_act(_connection: AbstractConnection) -> Act:
        return _nothing_more

    report = carry_out(order, settings, plan, open_act, "dropping")
    tell_summary("drop", sink, plan, report, dry_run=False)


async def _nothing_more(_letter: Letter, _message: DeliveredMessage) -> None:
    """To be dropped it only has to leave the queue."""
