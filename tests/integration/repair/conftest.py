"""A whole deployment with three sinks on real servers, written to all the time, whose stores tests spoil."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from memlane.storage.settings import SinkSettings
from memlane.testing.mcp_servers import node
from memlane.testing.servers import OwnServers, RedisServer
from tests.integration.repair.deployment import Deployment, running_deployment
from tests.support.broker import Broker
from tests.support.left_behind import SHARED

collect_ignore = ["test_spoilt_stores.py", "test_new_sink.py", "test_old_copy.py"] if node() is None else []


@pytest.fixture(scope="module")
def own_redis(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that may be flushed as a whole."""
    with own_servers.redis(tmp_path_factory.mktemp("redis"), durable=True) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture
def sinks(tmp_path: Path, own_redis: RedisServer, server_memory: str) -> SinkSettings:
    """New stores."""
    return SinkSettings(
        sqlite_path=tmp_path / "memory.db",
        redis_url=own_redis.url,
        redis_prefix=f"test-{uuid4().hex[:12]}",
        mcp_command=server_memory,
        mcp_dir=tmp_path / "mcp",
    )


@pytest.fixture
async def deployment(
    broker: Broker, sinks: SinkSettings, tmp_path: Path, unused_tcp_port: int
) -> AsyncIterator[Deployment]:
    """It runs, holds something, and is written to."""
    async with running_deployment(broker, sinks, tmp_path, unused_tcp_port) as deployment:
        yield deployment
