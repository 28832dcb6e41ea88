"""Being a guest on a broker that somebody named: nothing of theirs is touched, nothing is left behind."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from redis.asyncio import Redis

from memlane.contracts.topology import Topology, topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import missing
from memlane.testing.demo.errors import DemoError
from memlane.testing.demo.system import Place
from memlane.testing.servers import How


@contextmanager
def as_a_guest(place: Place) -> Iterator[None]:
    """On servers of the environment: refuses a broker that memlane is on; takes away afterwards what it made.

    Raises:
        DemoError: the broker has queues of memlane.
    """
    broker_is_theirs = place.servers.amqp_how is How.ENVIRONMENT
    if broker_is_theirs:
        asyncio.run(_check_free(place.servers.amqp_url, topology(place.sinks)))
    try:
        yield
    finally:
        if broker_is_theirs:
            asyncio.run(_take_away(place.servers.amqp_url, topology(place.sinks)))
        if place.servers.redis_how is How.ENVIRONMENT:
            asyncio.run(_remove_keys(place.servers.redis_url, place.redis_prefix))


async def _check_free(url: str, wanted: Topology) -> None:
    async with await connect(url, "memlane demo") as connection:
        absent = set(await missing(connection, wanted))
    present = {item.name for item in wanted.exchanges} | {item.name for item in wanted.queues}
    if present := present - absent:
        raise DemoError(
            f"the broker of MEMLANE_AMQP_URL has {min(present)} already, and {len(present) - 1} more of the "
            "exchanges and queues whose commands the demo would take",
            hint="unset MEMLANE_AMQP_URL: the demo then finds or starts a broker of its own",
        )


async def _take_away(url: str, made: Topology) -> None:
    async with await connect(url, "memlane demo") as connection:
        channel = await connection.channel()
        for queue in made.queues:
            await channel.queue_delete(queue.name)
        for exchange in made.exchanges:
            await channel.exchange_delete(exchange.name)


async def _remove_keys(url: str, prefix: str) -> None:
    async with Redis.from_url(url) as redis:
        found: Sequence[bytes] = [key async for key in redis.scan_iter(match=f"{prefix}:*", count=1000)]
        for key in found:
            await redis.unlink(key)
