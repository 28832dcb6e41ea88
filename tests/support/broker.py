"""A virtual host of its own on a real RabbitMQ, seen from outside of memlane."""

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

from aio_pika.abc import AbstractConnection
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage

from memlane.contracts import headers
from memlane.contracts.topology import COMMANDS, Topology, dead_queue, topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import apply_topology


class Depth(NamedTuple):
    """Of a queue: the messages that are ready, and who consumes them."""

    messages: int
    consumers: int


@dataclass(frozen=True)
class Parked:
    """A message in a dead-letter queue."""

    body: bytes
    headers: Mapping[str, Any]
    reply_to: str | None

    @property
    def error_class(self) -> str:
        """The name of the error's type."""
        return str(self.headers[headers.ERROR_CLASS])

    @property
    def error_text(self) -> str:
        """What the error says."""
        return str(self.headers[headers.ERROR_TEXT])

    @property
    def attempts(self) -> int:
        """How often it was tried."""
        return int(self.headers[headers.ATTEMPT])


class Broker:
    """What a test sees and does on its virtual host, past memlane's own code.

    Args:
        url: of the virtual host.

    Attributes:
        connection: of this test's own.
        channel: with publisher confirms.
    """

    connection: AbstractConnection
    channel: AbstractChannel

    def __init__(self, url: str) -> None:
        self.url = url

    async def connect(self) -> None:
        """Connects, again if need be."""
        self.connection = await connect(self.url, "test")
        self.channel = await (await self.connection.channel()).get_underlay_channel()

    # Any: properties as AMQP has them, right or wrong.
    async def publish(
        self, body: bytes, *, exchange: str = COMMANDS, routing_key: str = "", **properties: Any
    ) -> None:
        """Publishes a message as it is, and waits for the confirm."""
        await self.channel.basic_publish(
            body,
            exchange=exchange,
            routing_key=routing_key,
            properties=spec.Basic.Properties(delivery_mode=2, **properties),
        )

    async def depth(self, queue: str) -> Depth:
        """How many messages are ready in a queue, and how many consume it."""
        found = await self.channel.queue_declare(queue, passive=True)
        return Depth(found.message_count or 0, found.consumer_count or 0)

    async def is_empty(self, queue: str) -> bool:
        """Whether no message is ready."""
        return (await self.depth(queue)).messages == 0

    async def holds(self, queue: str, messages: int) -> bool:
        """Whether so many messages are ready."""
        return (await self.depth(queue)).messages == messages

    async def take(self, queue: str) -> list[DeliveredMessage]:
        """Takes all messages that are ready out of a queue."""
        taken: list[DeliveredMessage] = []
        while isinstance(
            (got := await self.channel.basic_get(queue, no_ack=True)).delivery, spec.Basic.GetOk
        ):
            taken.append(got)
        return taken

    async def parked(self, sink: str) -> list[Parked]:
        """Takes what is parked for a sink."""
        return [
            Parked(got.body, got.header.properties.headers or {}, got.header.properties.reply_to)
            for got in await self.take(dead_queue(sink))
        ]

    async def delete(self, topology_: Topology) -> None:
        """Deletes queues and exchanges."""
        for queue in topology_.queues:
            await self.channel.queue_delete(queue.name)
        for exchange in topology_.exchanges:
            await self.channel.exchange_delete(exchange.name)


@asynccontextmanager
async def connected_broker(url: str) -> AsyncIterator[Broker]:
    """A broker helper on a connection of its own."""
    broker = Broker(url)
    await broker.connect()
    try:
        yield broker
    finally:
        await broker.connection.close()


async def declare(broker: Broker, sinks: Iterable[str], **options: Any) -> Topology:
    """Declares memlane's topology for these sinks, as a worker does at start."""
    wanted = topology(sinks, **options)
    await apply_topology(broker.connection, wanted)
    return wanted
