"""A Redis of one's own for each file, and a prefix of one's own for each test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from memlane.storage.redis import RedisSink
from memlane.testing.servers import OwnServers, RedisServer

PATIENCE = timedelta(seconds=60)
"""On a machine that has much else to do."""


class OpenSink(Protocol):
    """Opens another sink on the test's store, or on one beside it."""

    async def __call__(self, beside: str = "") -> RedisSink:
        """An open sink, closed with the test."""


@pytest.fixture(scope="module")
def server(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that this file may flush, freeze or restart."""
    with own_servers.redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def prefix() -> str:
    """What the test's keys begin with."""
    return f"test-{uuid4().hex[:12]}"


@pytest.fixture
async def open_sink(server: RedisServer, prefix: str) -> AsyncIterator[OpenSink]:
    """Opens as many sinks on one store as the test needs."""
    async with AsyncExitStack() as exits:

        async def open_one(beside: str = "") -> RedisSink:
            return await exits.enter_async_context(
                RedisSink(server.url, prefix=prefix + beside, timeout=PATIENCE)
            )

        yield open_one


@pytest.fixture
async def sink(open_sink: OpenSink) -> RedisSink:
    """An open sink on an empty store."""
    return await open_sink()


# Any: redis-py's methods are typed as unions for its synchronous and asynchronous clients.
@pytest.fixture
async def raw(server: RedisServer) -> AsyncIterator[Any]:
    """The server as redis-py sees it, to look and to meddle."""
    async with Redis.from_url(server.url, decode_responses=True, protocol=2) as client:
        yield client
