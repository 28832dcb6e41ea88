"""Fixtures for the tests of programs that use memlane; pytest finds them where memlane is installed.

    async def test_my_bot(memlane):
        async with memlane.client() as memory:
            ...

See docs/testing.md. What they need is imported when they are used: it comes with `memlane[testing]`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from memlane.testing.in_memory import InMemoryMemlane
    from memlane.testing.running import RunningMemlane
    from memlane.testing.servers import OwnServers, RabbitMQServer, RedisServer
    from memlane.testing.vhosts import NewVhosts


def pytest_addoption(parser: pytest.Parser) -> None:
    """How the servers of the fixtures run."""
    parser.getgroup("memlane").addoption(
        "--memlane-services",
        choices=["containers", "processes"],
        help="run memlane's servers so, and fail where that can't be had; default: containers where a Docker"
        " engine can run them, else private processes",
    )


@pytest.fixture(scope="session")
def memlane_servers(pytestconfig: pytest.Config) -> "OwnServers":
    """Makes servers: containers or processes."""
    from memlane.testing.servers import Hosting, own_servers  # noqa: PLC0415  see above

    wanted = pytestconfig.getoption("memlane_services")
    return own_servers(Hosting(wanted) if wanted else None)


@pytest.fixture(scope="session")
def memlane_rabbitmq(
    memlane_servers: "OwnServers", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["RabbitMQServer"]:
    """The RabbitMQ of all tests; it ends with the run."""
    # The tests' own process takes the other processors.
    with memlane_servers.rabbitmq(tmp_path_factory.mktemp("memlane-rabbitmq"), schedulers=1) as server:
        yield server


@pytest.fixture(scope="session")
def memlane_redis(
    memlane_servers: "OwnServers", tmp_path_factory: pytest.TempPathFactory
) -> Iterator["RedisServer"]:
    """The Redis of all tests; it ends with the run."""
    with memlane_servers.redis(tmp_path_factory.mktemp("memlane-redis")) as server:
        yield server


@pytest.fixture(scope="session")
def memlane_vhosts(memlane_rabbitmq: "RabbitMQServer") -> "NewVhosts":
    """URLs of virtual hosts that nobody has used."""
    from memlane.testing.vhosts import NewVhosts  # noqa: PLC0415

    # Another run may use the same server.
    return NewVhosts(memlane_rabbitmq, f"memlane-{uuid4().hex[:8]}-")


# Any: what WorkerSettings takes.
@pytest.fixture
def memlane_settings() -> dict[str, Any]:
    """Settings of the workers, by name: override this fixture to say others."""
    return {}


@pytest.fixture
def memlane(
    memlane_vhosts: "NewVhosts",
    memlane_redis: "RedisServer",
    memlane_settings: dict[str, Any],
    tmp_path: Path,
) -> Iterator["RunningMemlane"]:
    """A whole memlane, with SQLite and Redis, that only this test sees: nothing is in it yet."""
    from memlane.storage.settings import SinkSettings  # noqa: PLC0415
    from memlane.testing.running import RunningMemlane, quick_settings  # noqa: PLC0415
    from memlane.testing.settings import only_passed  # noqa: PLC0415

    url, folder = next(memlane_vhosts), tmp_path / "memlane"
    sinks = only_passed(
        SinkSettings,
        sqlite_path=folder / "memory.db",
        redis_url=memlane_redis.url,
        redis_prefix=url.rpartition("/")[2],
        mcp_dir=folder / "mcp",
    )
    settings = {"sinks": "sqlite,redis", "backup_dir": folder / "backups", **memlane_settings}
    with RunningMemlane(quick_settings(url, **settings), sinks, folder / "state") as running:
        yield running
    memlane_vhosts.give_back(url)


@pytest.fixture
def memlane_in_memory(tmp_path: Path) -> "InMemoryMemlane":
    """The same without any server, in this process: a command that is confirmed is decided."""
    from memlane.testing.in_memory import InMemoryMemlane  # noqa: PLC0415

    return InMemoryMemlane(tmp_path / "memlane-state")
