"""A batch that fails is halved until the culprit is alone; whoever is not at fault is applied."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import AnyCommand
from memlane.contracts.version import MAX_MILLISECONDS, make_version
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.outcome import APPLIED, BELOW_FLOOR
from memlane.workers.lane.applying import apply
from tests.support.commands import store

NOW = datetime.now(UTC)


@pytest.fixture
async def sink() -> AsyncIterator[FailingSink]:
    """Fails where it is told to."""
    async with FailingSink(MemorySink()) as sink:
        yield sink


def commands(count: int) -> list[AnyCommand]:
    """So many, at addresses of their own."""
    return [store(f"k{n}") for n in range(count)]


@given(count=st.integers(1, 40), bad=st.sets(st.integers(0, 39), max_size=6))
async def test_every_culprit_is_found_and_no_other(count: int, bad: set[int]) -> None:
    """In their order; everything else is in the sink."""
    batch = commands(count)
    culprits = {n for n in bad if n < count}
    async with FailingSink(MemorySink()) as sink:
        for n in culprits:
            sink.poison(batch[n].id)
        results = await apply(sink, batch, NOW)
        assert {n for n, result in enumerate(results) if isinstance(result, ValueError)} == culprits
        assert (await sink.stats("u")).live == count - len(culprits)


async def test_one_culprit_costs_few_calls(sink: FailingSink) -> None:
    """Twice the logarithm of the batch."""
    batch = commands(512)
    sink.poison(batch[300].id)
    await apply(sink, batch, NOW)
    assert len(sink.batches) <= 2 * 9 + 1


async def test_a_sink_that_goes_down_in_between_is_down(sink: FailingSink) -> None:
    """What was applied before is applied again later: nobody is blamed."""
    batch = commands(8)
    sink.poison(batch[0].id)
    sink.fail("apply", error=ValueError("the first"), times=1)
    sink.fail("apply", error=SinkUnavailable("gone"), times=1)
    with pytest.raises(SinkUnavailable):
        await apply(sink, batch, NOW)


async def test_a_busy_sink_is_tried_three_times(sink: FailingSink) -> None:
    """With the whole batch: nothing is at fault in it."""
    batch = commands(4)
    sink.fail("apply", error=SinkBusy("locked"), times=2)
    assert await apply(sink, batch, NOW) == [APPLIED] * 4
    assert len(sink.batches) == 3


async def test_a_sink_that_stays_busy_counts_as_down(sink: FailingSink) -> None:
    """The batch is not halved, and none of its commands is at fault."""
    sink.fail("apply", error=SinkBusy("locked", hint="unlock it"))
    with pytest.raises(SinkUnavailable, match=r"locked \(tried 3 times\) \(unlock it\)"):
        await apply(sink, commands(4), NOW)
    assert [len(batch) for batch in sink.batches] == [4] * 3


async def test_repairs_stay_repairs_when_they_are_halved(sink: FailingSink) -> None:
    """And while the sink is busy."""
    batch = commands(8)
    await sink.sweep(NOW, floor=make_version(MAX_MILLISECONDS, 0))
    assert await apply(sink, batch, NOW) == [BELOW_FLOOR] * 8
    sink.poison(batch[3].id)
    sink.fail("apply", error=SinkBusy("locked"), times=1)
    results = await apply(sink, batch, NOW, repair=True)
    assert results.count(APPLIED) == 7
    assert isinstance(results[3], ValueError)
