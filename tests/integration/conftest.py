"""For tests on real servers: a virtual host of its own for each, and memlane on it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Protocol

import pytest

from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from memlane.testing.vhosts import NewVhosts
from tests.support.broker import Broker, connected_broker
from tests.support.mcp_servers import server_memory_command
from tests.support.system import System, running_system


class StartSystem(Protocol):
    """Starts memlane with these sinks, preferred first; it is stopped with the test."""

    # Any: options of `running_system`.
    async def __call__(self, *sinks: Sink, **options: Any) -> System:
        """The running system."""


@pytest.fixture
def broker_url(vhosts: NewVhosts) -> Iterator[str]:
    """The URL of a virtual host that nobody else uses."""
    url = next(vhosts)
    yield url
    vhosts.give_back(url)


@pytest.fixture
async def broker(broker_url: str) -> AsyncIterator[Broker]:
    """The test's virtual host, as seen from outside."""
    async with connected_broker(broker_url) as broker:
        yield broker


@pytest.fixture
async def start_system(broker: Broker, tmp_path: Path) -> AsyncIterator[StartSystem]:
    """Starts memlane on the test's virtual host."""
    async with AsyncExitStack() as exits:

        async def start(*sinks: Sink, **options: Any) -> System:
            return await exits.enter_async_context(
                running_system(broker, sinks, tmp_path / "state", **options)
            )

        yield start


@pytest.fixture(scope="session")
def server_memory() -> str:
    """The command line of the real MCP server server-memory."""
    return server_memory_command()


@pytest.fixture
def memory() -> MemorySink:
    """What the sink `memory` holds."""
    return MemorySink()


@pytest.fixture
def failing(memory: MemorySink) -> FailingSink:
    """The same sink, which fails where it is told to."""
    return FailingSink(memory)


@pytest.fixture
def sqlite(tmp_path: Path) -> SqliteSink:
    """A durable sink, on a new file."""
    return SqliteSink(tmp_path / "memory.db")
