"""What `retry` and `drop` have in common: plan, ask, carry out, tell."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import MemlaneError
from memlane.contracts.instants import now
from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.dead.carrying_out import Act, Carrier, Report
from memlane.producers.cli.dead.plan import Plan, survey
from memlane.producers.cli.dead.selection import Selection
from memlane.producers.cli.errors import NotFound
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.output import note
from memlane.producers.cli.progress import progress
from memlane.producers.settings import BrokerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be done to which parked messages.

    Attributes:
        verb: `retry` or `drop`.
        sink: whose.
        selection: which.
        limit: the most distinct messages.
        rate: the most commands a second.
    """

    verb: str
    sink: str
    selection: Selection
    limit: int | None
    rate: float | None


def plan_of(order: Order, settings: BrokerSettings) -> Plan:
    """Finds out which messages are meant; changes nothing.

    Raises:
        NotFound: there is no such queue, or none is meant.
        BrokerUnreachable: nothing answers there.
    """

    async def look(connection: AbstractConnection) -> Plan:
        with progress("reading") as tell:
            return await survey(
                connection, order.sink, order.selection, now(), limit=order.limit, on_progress=tell
            )

    plan = with_broker(settings, f"dead {order.verb}", look)
    if not plan.messages:
        raise NotFound(
            f"nothing like that among the {count_of(plan.parked, 'message')} parked for {order.sink}",
            hint=f"see `memlane dead list {order.sink}`",
        )
    return plan


def carry_out(
    order: Order,
    settings: BrokerSettings,
    plan: Plan,
    open_act: Callable[[AbstractConnection], Awaitable[Act]],
    doing: str,
) -> Report:
    """Does what is planned; says on stderr how far it came where it breaks off.

    Raises:
        BrokerError: what was not dealt with is still parked.
    """
    report = Report()

    async def work(connection: AbstractConnection) -> None:
        act = await open_act(connection)
        with progress(doing) as tell:
            carrier = Carrier(order.sink, plan, act, report, rate=order.rate, on_progress=tell)
            await carrier.run(connection)

    try:
        with_broker(settings, f"dead {order.verb}", work)
    except MemlaneError:
        note(
            f"stopped after {count_of(report.messages, 'message')}: the rest is still parked;"
            " say the same again, it does no harm"
        )
        raise
    if missing := plan.messages - report.messages:
        note(f"{count_of(missing, 'message')} could not be found again: somebody else works on this queue")
    return report
