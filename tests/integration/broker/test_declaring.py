"""The topology is declared from its table, once; what is there otherwise is named."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pamqp.common import FieldTable

from memlane.contracts.errors import TopologyMismatch
from memlane.contracts.topology import LOG, QUERY_QUEUE, Topology, dead_queue, lane_queue, topology
from memlane.producers.broker.declare import apply_topology, missing, queue_depths
from tests.support.broker import Broker
from tests.support.commands import message, store


async def test_declaring_twice_changes_nothing(broker: Broker) -> None:
    """Every worker declares everything at its start."""
    wanted = topology(["sqlite", "redis"])
    assert await missing(broker.connection, wanted) == [
        *(exchange.name for exchange in wanted.exchanges),
        *(queue.name for queue in wanted.queues),
    ]
    await apply_topology(broker.connection, wanted)
    await broker.publish(message(store()))
    await apply_topology(broker.connection, wanted)
    assert await missing(broker.connection, wanted) == []
    assert await broker.holds(lane_queue("sqlite"), 1)
    await broker.delete(wanted)


async def test_a_new_sink_is_added_beside_the_others(broker: Broker) -> None:
    """It gets what is published from then on."""
    await apply_topology(broker.connection, topology(["sqlite"]))
    await broker.publish(message(store()))
    both = topology(["sqlite", "redis"])
    await apply_topology(broker.connection, both)
    await broker.publish(message(store()))
    names = [lane_queue("sqlite"), lane_queue("redis"), "memlane.other.writes.v1"]
    assert await queue_depths(broker.connection, names) == {
        names[0]: (2, 0),
        names[1]: (1, 0),
        names[2]: None,
    }
    await broker.delete(both)


@pytest.mark.parametrize(
    ("name", "argument", "value"),
    [
        (lane_queue("sqlite"), "x-delivery-limit", 7),
        (lane_queue("sqlite"), "x-dead-letter-routing-key", "elsewhere"),
        (dead_queue("sqlite"), "x-delivery-limit", 7),
        ("memlane.sqlite.retry.5s.v1", "x-message-ttl", 6000),
        (LOG, "x-max-age", "1s"),
    ],
)
async def test_another_argument_is_named_with_its_queue(
    broker: Broker, name: str, argument: str, value: str | int
) -> None:
    """Instead of trying again and again."""
    wanted = topology(["sqlite"])
    other = [
        replace(queue, arguments={**queue.arguments, argument: value}) if queue.name == name else queue
        for queue in wanted.queues
    ]
    await apply_topology(broker.connection, Topology(wanted.exchanges, tuple(other)))
    with pytest.raises(TopologyMismatch) as caught:
        await apply_topology(broker.connection, wanted)
    assert f"'{argument}'" in str(caught.value)
    assert name in str(caught.value)
    await broker.delete(wanted)


async def test_another_kind_of_queue_is_named(broker: Broker) -> None:
    """A classic queue where a quorum queue belongs would lose what it holds with its node."""
    dead = next(queue for queue in topology(["sqlite"]).queues if queue.name == dead_queue("sqlite"))
    arguments: FieldTable = {
        name: value for name, value in dead.arguments.items() if name != "x-delivery-limit"
    }
    await broker.channel.queue_declare(dead.name, durable=True, arguments=arguments)
    with pytest.raises(
        TopologyMismatch, match=r"memlane\.sqlite\.dead\.v1 .*(x-queue-type|x-delivery-limit)"
    ):
        await apply_topology(broker.connection, topology(["sqlite"]))
    await broker.delete(topology(["sqlite"]))


async def test_other_retry_delays_are_other_queues(broker: Broker) -> None:
    """A delay is part of a queue's name: a change of the setting meets no queue with another delay."""
    for delays in ((timedelta(seconds=5),), (timedelta(seconds=6), timedelta(milliseconds=1500))):
        await apply_topology(broker.connection, topology(["sqlite"], retry_delays=delays))
    every = topology(["sqlite"], retry_delays=[*delays, timedelta(seconds=5)])
    assert await missing(broker.connection, every) == []
    await broker.delete(every)
    assert QUERY_QUEUE in await missing(broker.connection, every)
