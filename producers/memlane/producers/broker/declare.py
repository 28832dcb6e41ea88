"""Declaring the topology, and checking it."""

from collections.abc import Collection
from typing import Final

import structlog
from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPException, ChannelClosed, ChannelNotFoundEntity, ChannelPreconditionFailed

from memlane.contracts.errors import BrokerRefused, TopologyMismatch
from memlane.contracts.topology import LOG, STANDING, Exchange, Queue, Topology, lane_queue
from memlane.producers.broker.channels import ReopenedChannel, reopened_channel
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say, standings_now

log: Final = structlog.get_logger("memlane.topology")

_KIND_ARGUMENT: Final = "x-queue-type"

NEWER_THAN_LOG: Final = "its lane is newer than the command log"


async def apply_topology(connection: AbstractConnection, topology: Topology) -> None:
    """Declares whatever is not there yet.

    A lane that was cut off stays so. The sink of a lane that is newer than the command log is rebuilding.

    Raises:
        TopologyMismatch: something is there with other arguments; names it and the argument.
        BrokerRefused: the account may not configure it.
    """
    absent = await _absent_streams_and_lanes(connection, topology)
    cut_off = await _cut_off(connection, topology, absent)
    async with reopened_channel(connection) as channels:
        for queue in topology.queues:
            await _declare(channels, queue)
        await _say_who_is_new(connection, topology, absent)
        # After the queues, which take long: a question to an exchange that leads nowhere yet is lost.
        for exchange in topology.exchanges:
            await _declare(channels, exchange)
        # Bound only when everything is there, and the log last: from then on a command that can be routed
        # at all reaches every lane.
        for queue in sorted(topology.queues, key=lambda queue: queue.kind == "stream"):
            if queue.name not in cut_off:
                await _bind(channels, queue)


async def _absent_streams_and_lanes(connection: AbstractConnection, topology: Topology) -> frozenset[str]:
    """Those that are not there. Where there is no log, nobody asks for the lanes."""
    streams = tuple(queue for queue in topology.queues if queue.kind == "stream")
    absent = await missing(connection, Topology((), streams))
    if LOG not in absent:
        lanes = tuple(queue for queue in topology.queues if queue.lane_of)
        absent += await missing(connection, Topology((), lanes))
    return frozenset(absent)


async def _cut_off(
    connection: AbstractConnection, topology: Topology, absent: Collection[str]
) -> frozenset[str]:
    """The lanes that may not be bound; none where nobody can have said so."""
    if STANDING in absent or all(queue.name != STANDING for queue in topology.queues):
        return frozenset()
    standings = await standings_now(connection)
    return frozenset(lane_queue(sink) for sink, standing in standings.items() if standing.cut_off)


async def _say_who_is_new(
    connection: AbstractConnection, topology: Topology, absent: Collection[str]
) -> None:
    """Said before their lanes are bound: what went to the log before is not in them."""
    new = [queue.lane_of for queue in topology.queues if queue.lane_of and queue.name in absent]
    if LOG in absent or not new:
        return
    publisher = await Publisher.open(connection)
    for sink in new:
        await say(publisher, sink, "rebuilding", reason=NEWER_THAN_LOG)
    await publisher.channel.close()


async def missing(connection: AbstractConnection, topology: Topology) -> list[str]:
    """The names of the exchanges and queues that are not there. Arguments are not compared."""
    absent = []
    items: list[Exchange | Queue] = [*topology.exchanges, *topology.queues]
    async with reopened_channel(connection) as channels:
        for item in items:
            try:
                async with channels.one_call() as channel:
                    if isinstance(item, Exchange):
                        await channel.declare_exchange(item.name, passive=True)
                    else:
                        await channel.declare_queue(item.name, passive=True)
            except ChannelNotFoundEntity:
                absent.append(item.name)
    return absent


async def queue_depths(connection: AbstractConnection, names: list[str]) -> dict[str, tuple[int, int] | None]:
    """Ready messages and consumers of each queue; None where there is no such queue."""
    depths: dict[str, tuple[int, int] | None] = {}
    async with reopened_channel(connection) as channels:
        for name in names:
            try:
                async with channels.one_call() as channel:
                    result = (await channel.declare_queue(name, passive=True)).declaration_result
            except ChannelNotFoundEntity:
                depths[name] = None
            else:
                depths[name] = (result.message_count or 0, result.consumer_count or 0)
    return depths


async def _declare(channels: ReopenedChannel, item: Exchange | Queue) -> None:
    try:
        async with channels.one_call() as channel:
            if isinstance(item, Exchange):
                await channel.declare_exchange(item.name, ExchangeType(item.kind), durable=True)
            else:
                arguments = {_KIND_ARGUMENT: item.kind, **item.arguments}
                await channel.declare_queue(item.name, durable=True, arguments=dict(arguments))
    except ChannelPreconditionFailed as error:
        raise TopologyMismatch(
            f"{item.name} exists with other arguments: {_broker_text(error)}",
            hint="drain and delete it, or go back to the settings that it was made with",
        ) from error
    except ChannelClosed as error:
        raise BrokerRefused(
            f"RabbitMQ refused to declare {item.name}: {_broker_text(error)}",
            hint="the account needs the right to configure memlane.*",
        ) from error


async def _bind(channels: ReopenedChannel, queue: Queue) -> None:
    if queue.bound_to is None:
        return
    try:
        async with channels.one_call() as channel:
            await (await channel.get_queue(queue.name, ensure=False)).bind(queue.bound_to)
    except ChannelClosed as error:
        raise BrokerRefused(
            f"RabbitMQ refused to bind {queue.name}: {_broker_text(error)}",
            hint="the account needs the right to write memlane.* queues and read memlane.* exchanges",
        ) from error


def _broker_text(error: AMQPException) -> str:
    return str(error.args[-1]) if error.args else str(error)
