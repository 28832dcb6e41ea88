"""A client of a whole memlane with two sinks."""

from collections.abc import AsyncIterator

import pytest

from memlane.client import MemoryClient
from memlane.storage.memory import FailingSink, MemorySink
from tests.integration.conftest import StartSystem
from tests.support.system import System


@pytest.fixture
def first() -> FailingSink:
    """The preferred sink."""
    return FailingSink(MemorySink(name="first", max_value_bytes=100_000))


@pytest.fixture
def second() -> FailingSink:
    """The other one."""
    return FailingSink(MemorySink(name="second"))


@pytest.fixture
async def system(start_system: StartSystem, first: FailingSink, second: FailingSink) -> System:
    """Every role, as in `memlane up`."""
    return await start_system(first, second, local=True)


@pytest.fixture
async def client(system: System) -> AsyncIterator[MemoryClient]:
    """An open client."""
    async with system.client() as client:
        yield client
