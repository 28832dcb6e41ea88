"""A plan is carried out on exactly the messages that were there when it was made."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from aiormq.abc import DeliveredMessage

from memlane.contracts.errors import PublishFailed
from memlane.contracts.topology import dead_queue
from memlane.producers.cli.dead.carrying_out import Carrier, Report
from memlane.producers.cli.dead.letters import Letter
from memlane.producers.cli.dead.plan import survey
from memlane.producers.cli.dead.reading import WINDOW
from memlane.producers.cli.dead.selection import Selection
from tests.support.broker import Broker, declare
from tests.support.commands import message, store
from tests.support.waiting import wait_until

SINK = "memory"
QUEUE = dead_queue(SINK)
NOW = datetime.now(UTC)
MEANT = Selection(errors=frozenset({"Meant"}))


@pytest.fixture
async def queue(broker: Broker) -> AsyncIterator[Broker]:
    """An empty dead-letter queue."""
    made = await declare(broker, [SINK])
    yield broker
    await broker.delete(made)


async def park(broker: Broker, body: bytes, error: str = "Meant", message_id: str | None = None) -> None:
    """As a lane parks."""
    headers = {"error-class": error}
    await broker.publish(body, exchange="", routing_key=QUEUE, headers=headers, message_id=message_id)


class Acts:
    """Notes what is done to which letter."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, letter: Letter, _message: DeliveredMessage) -> None:
        """Does nothing but note it."""
        self.names.append(letter.name)


async def test_what_is_parked_after_the_plan_was_made_is_no_copy(queue: Broker) -> None:
    """A command that was retried, and has failed again meanwhile, is not taken for its old self."""
    body, acts, report = message(store()), Acts(), Report()
    await park(queue, body, message_id="first")
    await park(queue, body, message_id="copy")
    plan = await survey(queue.connection, SINK, MEANT, NOW)
    await park(queue, body, message_id="failed again")
    plan.left[b"a message that somebody else has taken meanwhile"] = 1
    await Carrier(SINK, plan, acts, report).run(queue.connection)
    assert (len(acts.names), report.messages, report.copies) == (1, 1, 2)
    (left,) = await queue.take(QUEUE)
    assert left.header.properties.message_id == "failed again"


async def test_any_copy_that_is_meant_means_all_of_them(queue: Broker) -> None:
    """Also one that was parked before, for another reason."""
    body, acts, report = message(store()), Acts(), Report()
    for error in ("Other", "Meant", "Other"):
        await park(queue, body, error)
    await park(queue, message(store()), "Other")
    plan = await survey(queue.connection, SINK, MEANT, NOW)
    assert (plan.messages, plan.copies, plan.parked, dict(plan.errors)) == (1, 3, 4, {"Meant": 1})
    await Carrier(SINK, plan, acts, report).run(queue.connection)
    assert len(acts.names) == 1
    await wait_until(lambda: queue.holds(QUEUE, 1), "the other is back")


async def test_more_can_stay_than_the_broker_hands_out_ahead(queue: Broker) -> None:
    """They are held until the end, without their bodies, and are all back afterwards."""
    others = [store(f"k{n}") for n in range(2 * WINDOW + 50)]
    await asyncio.gather(*(park(queue, message(one), "Other") for one in others))
    await park(queue, message(store()))
    acts, report = Acts(), Report()
    plan = await survey(queue.connection, SINK, MEANT, NOW)
    await Carrier(SINK, plan, acts, report).run(queue.connection)
    assert report.copies == 1
    await wait_until(lambda: queue.holds(QUEUE, len(others)), "the others are back")
    assert {got.body for got in await queue.take(QUEUE)} == {message(one) for one in others}


async def test_several_passes_do_what_one_does(queue: Broker) -> None:
    """Where a low rate makes it long, everything held goes back between them."""
    for number in range(6):
        await park(queue, message(store(f"k{number}")), "Meant" if number % 2 else "Other")
    acts, report = Acts(), Report()
    plan = await survey(queue.connection, SINK, MEANT, NOW)
    await Carrier(SINK, plan, acts, report, longest_pass=timedelta(0)).run(queue.connection)
    assert (len(acts.names), report.copies) == (3, 3)
    await wait_until(lambda: queue.holds(QUEUE, 3), "the others are back")


async def test_what_can_not_be_dealt_with_stays(queue: Broker) -> None:
    """And so does everything behind it."""
    for number in range(3):
        await park(queue, message(store(f"k{number}")))

    async def fail(_letter: Letter, _message: DeliveredMessage) -> None:
        raise PublishFailed("no confirm")

    report = Report()
    plan = await survey(queue.connection, SINK, MEANT, NOW)
    with pytest.raises(PublishFailed):
        await Carrier(SINK, plan, fail, report).run(queue.connection)
    assert report.copies == 0
    await wait_until(lambda: queue.holds(QUEUE, 3), "all is back")


async def test_a_limit_takes_the_oldest_with_all_their_copies(queue: Broker) -> None:
    """A copy at the end of the queue goes with its first."""
    bodies = [message(store(f"k{n}")) for n in range(3)]
    for body in (*bodies, bodies[0]):
        await park(queue, body)
    acts, report = Acts(), Report()
    plan = await survey(queue.connection, SINK, MEANT, NOW, limit=1)
    await Carrier(SINK, plan, acts, report).run(queue.connection)
    assert (report.messages, report.copies) == (1, 2)
    await wait_until(lambda: queue.holds(QUEUE, 2), "the others are back")
    assert [got.body for got in await queue.take(QUEUE)] == bodies[1:]
