"""Settings of a service on the test's virtual host, with SQLite and a Redis that may be stopped."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import pytest

from memlane.client import MemoryClient
from memlane.storage.settings import SinkSettings
from memlane.testing.servers import OwnServers, RedisServer
from memlane.workers.settings import WorkerSettings
from tests.support.broker import Broker
from tests.support.left_behind import SHARED
from tests.support.system import client_settings, worker_settings


class Settings(Protocol):
    """Makes the settings of a service."""

    # Any: the settings' model checks them.
    def __call__(self, *, sinks: str = "sqlite,redis", **settings: Any) -> WorkerSettings:
        """With everything that waits waiting shortly."""


@pytest.fixture(scope="module")
def fragile_redis(own_servers: OwnServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """See `redis`."""
    with own_servers.redis(tmp_path_factory.mktemp("fragile-redis"), durable=True) as server:
        SHARED.add(server.data_dir)
        yield server


@pytest.fixture
def redis(fragile_redis: RedisServer) -> RedisServer:
    """A Redis that a test may stop and restart; it runs, whatever the test before did to it."""
    return fragile_redis.start()


@pytest.fixture
def settings(broker: Broker, unused_tcp_port: int) -> Settings:
    """Of a service with a health port."""

    def make(*, sinks: str = "sqlite,redis", **said: Any) -> WorkerSettings:
        return worker_settings(
            broker.url, sinks.split(","), **{"health_port": unused_tcp_port, "hedge_after": "PT0.1S", **said}
        )

    return make


@pytest.fixture
def sinks(tmp_path: Path, redis: RedisServer) -> SinkSettings:
    """A new file, and a part of Redis of one's own."""
    return SinkSettings(
        sqlite_path=tmp_path / "memory.db",
        redis_url=redis.url,
        redis_prefix=f"test-{uuid4().hex[:12]}",
        redis_timeout="PT1S",
    )


@pytest.fixture
async def client(broker: Broker, tmp_path: Path) -> AsyncIterator[MemoryClient]:
    """A client, open before the service is."""
    async with MemoryClient(settings=client_settings(broker.url, tmp_path / "state")) as client:
        yield client
