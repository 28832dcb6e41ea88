"""Filling, counting and removing queues."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractConnection

from memlane.contracts.topology import topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import apply_topology, missing, queue_depths

_IN_FLIGHT: Final = 200
_PATIENCE_SECONDS: Final = 20.0
_NAME: Final = "memlane benchmarks"


async def in_use(url: str) -> bool:
    """Whether the broker has anything of memlane."""
    wanted = topology([])
    async with await connect(url, _NAME) as connection:
        absent = await missing(connection, wanted)
    return len(absent) < len(wanted.exchanges) + len(wanted.queues)


async def declare(url: str, sinks: Sequence[str]) -> None:
    """Declares memlane's topology for these sinks."""
    async with await connect(url, _NAME) as connection:
        await apply_topology(connection, topology(sinks))


async def remove(url: str, sinks: Sequence[str]) -> None:
    """Removes what `declare` has made."""
    wanted = topology(sinks)
    async with await connect(url, _NAME) as connection:
        channel = await connection.channel()
        for exchange in wanted.exchanges:
            await channel.exchange_delete(exchange.name)
        for queue in wanted.queues:
            await channel.queue_delete(queue.name)


async def fill(url: str, queue: str, bodies_file: Path) -> int:
    """Publishes prepared messages, a line each, straight to a queue; returns how many, all confirmed."""
    async with await connect(url, _NAME) as connection:
        with bodies_file.open("rb") as lines:
            return await _publish_all(connection, queue, [line.rstrip(b"\n") for line in lines])


async def wait_empty(url: str, queue: str) -> bool:
    """Whether nothing is in the queue, given five seconds: closed consumers give back a little later."""
    async with await connect(url, _NAME) as connection:
        for _ in range(50):
            depth = (await queue_depths(connection, [queue]))[queue]
            if depth is not None and depth[0] == 0:
                return True
            await asyncio.sleep(0.1)
    return False


async def take_all(url: str, queue: str) -> list[bytes]:
    """The bodies of all messages of a queue, which is empty then."""
    bodies: list[bytes] = []
    async with await connect(url, _NAME) as connection:
        channel = await connection.channel()
        found = await channel.declare_queue(queue, passive=True)
        count = found.declaration_result.message_count or 0
        if count == 0:
            return []
        async with found.iterator(no_ack=True, timeout=_PATIENCE_SECONDS) as messages:
            async for message in messages:
                bodies.append(message.body)
                if len(bodies) == count:
                    break
    return bodies


async def server_version(url: str) -> str:
    """The broker's version, as it says itself."""
    async with await connect(url, _NAME) as connection:
        transport = connection.transport
        properties = transport.connection.server_properties if transport is not None else {}
        version = properties.get("version", "unknown")
        return version.decode() if isinstance(version, bytes) else str(version)


async def _publish_all(connection: AbstractConnection, queue: str, bodies: Sequence[bytes]) -> int:
    channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
    room = asyncio.Semaphore(_IN_FLIGHT)

    async def publish(body: bytes) -> None:
        async with room:
            message = Message(body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT)
            await channel.default_exchange.publish(message, queue)

    await asyncio.gather(*map(publish, bodies))
    return len(bodies)
