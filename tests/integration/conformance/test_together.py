"""All sinks side by side: whatever each of them was delivered, and how, they hold and answer the same."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from memlane.contracts.query import SearchQuestion
from memlane.storage.conformance import Plan, check_convergence, convergence_machine, delivery_plans
from memlane.storage.conformance.cases import WORDS
from memlane.storage.conformance.commands import NOW, store
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.strategies import fresh_names
from memlane.storage.mcp import McpSink
from memlane.storage.memory import MemorySink
from memlane.storage.redis import RedisSink
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from memlane.testing.mcp_servers import node
from tests.support.mcp_servers import server_memory_command

SINKS = 3 if node() is None else 4


@pytest.fixture
def unopened(tmp_path: Path, redis_url: str, redis_prefix: str) -> list[Sink]:
    """One of each; without an MCP server where Node is not on the machine."""
    sinks: list[Sink] = [
        MemorySink(),
        SqliteSink(tmp_path / "memory.db"),
        RedisSink(redis_url, prefix=redis_prefix),
    ]
    if node() is not None:
        settings = SinkSettings(mcp_command=server_memory_command(), mcp_dir=tmp_path)
        sinks.append(McpSink.from_settings("mcp", settings))
    return sinks


@pytest_asyncio.fixture
async def sinks(unopened: Sequence[Sink]) -> AsyncIterator[Sequence[Sink]]:
    """One of each, open."""
    async with AsyncExitStack() as exits:
        yield [await exits.enter_async_context(sink) for sink in unopened]


@pytest.fixture
def runner(unopened: Sequence[Sink]) -> Iterator[asyncio.Runner]:
    """An event loop of one's own, in which the sinks are open."""
    with asyncio.Runner() as runner:
        for sink in unopened:
            runner.run(sink.__aenter__())
        yield runner
        for sink in unopened:
            runner.run(sink.__aexit__(None, None, None))


@on_one_sink(max_examples=15)
@given(plan=delivery_plans(sinks=SINKS), users=fresh_names())
async def test_any_deliveries_end_the_same(sinks: Sequence[Sink], plan: Plan, users: str) -> None:
    """Each sink has its own order, batches, duplicates, clock and sweeps."""
    await check_convergence(sinks, plan, users=users)


def test_any_story_ends_the_same(unopened: Sequence[Sink], runner: asyncio.Runner) -> None:
    """Commands are published while the sinks deliver, sweep, read and wait; afterwards they hold the same."""
    numbers = count(1)
    machine = convergence_machine(runner, lambda: unopened, users=lambda: f"story {next(numbers)} ")
    run_state_machine_as_test(
        machine, settings=settings(max_examples=8, stateful_step_count=25, deadline=None)
    )
    totals = [runner.run(sink.digests()) for sink in unopened]
    assert totals == [totals[0]] * SINKS


@on_one_sink()
@given(
    texts=st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), min_size=1, max_size=6),
    asked=st.lists(st.sampled_from([*WORDS, "AND", '"', "other"]), max_size=3).map(" ".join),
    user=fresh_names(),
)
async def test_what_one_finds_the_others_find(
    sinks: Sequence[Sink], texts: list[str], asked: str, user: str
) -> None:
    """The same entries, if not in the same order."""
    commands = [store(f"k{n}", text, at=n, user=user) for n, text in enumerate(texts)]
    found = []
    for sink in sinks:
        await sink.apply(commands, NOW)
        page = await sink.find(SearchQuestion(user_id=user, text=asked), NOW)
        found.append(sorted((hit.entry for hit in page.hits), key=lambda entry: entry.key))
    assert found == [found[0]] * SINKS
