"""Two sinks behind an aggregator: once asked directly, as in `memlane up`, once over their responders."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime

import pytest

from memlane.client import MemoryClient
from memlane.contracts.command import AnyCommand
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sink import Sink
from tests.integration.conftest import StartSystem
from tests.support.system import AGGREGATOR, RESPONDER, System

Put = Callable[..., Awaitable[None]]


@pytest.fixture(params=["together", "apart"])
def local(request: pytest.FixtureRequest) -> bool:
    """Whether aggregator and sinks are in one process."""
    return bool(request.param == "together")


@pytest.fixture
def first() -> FailingSink:
    """The preferred sink."""
    return FailingSink(MemorySink(name="first"))


@pytest.fixture
def second() -> FailingSink:
    """The other one."""
    return FailingSink(MemorySink(name="second"))


@pytest.fixture
async def system(start_system: StartSystem, first: FailingSink, second: FailingSink, local: bool) -> System:
    """Aggregator and responders, without lanes: a test says itself what each sink holds."""
    return await start_system(first, second, roles=[RESPONDER, AGGREGATOR], local=local, hedge_after="PT0.1S")


@pytest.fixture
async def client(system: System) -> AsyncIterator[MemoryClient]:
    """Asks, and waits a second at most."""
    async with system.client(deadline="PT1S") as client:
        yield client


@pytest.fixture
def put() -> Put:
    """Puts commands into a sink, as its lane would."""

    async def put(sink: Sink, *commands: AnyCommand) -> None:
        await sink.apply(commands, datetime.now(UTC))

    return put


def keys(hits: Sequence[object]) -> list[str]:
    """The keys of a page's hits, in order."""
    return [hit.entry.key for hit in hits]  # type: ignore[attr-defined]
