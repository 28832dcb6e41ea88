"""What is the in-memory sink's own; all else is in the conformance suite."""

from importlib.metadata import entry_points

import pytest

from memlane.storage import memory
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, store
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import MemorySink
from memlane.storage.outcome import Outcome
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink


def test_it_is_installed_under_its_name() -> None:
    """With its companion for tests of what is around a sink."""
    assert memory.__all__ == ["FailingSink", "MemorySink", "Method"]
    (found,) = entry_points(group="memlane.sinks", name="memory")
    assert found.load() is MemorySink
    sink: Sink = MemorySink.from_settings("hot", SinkSettings())
    assert (sink.name, sink.durable) == ("hot", False)


async def test_it_must_be_entered() -> None:
    """As every sink."""
    sink = MemorySink()
    for _ in range(2):
        with pytest.raises(SinkUnavailable, match="not open"):
            await sink.health()
        with pytest.raises(SinkUnavailable, match="async with"):
            await asking.fetch(sink, address())
        async with sink:
            await sink.health()


async def test_a_wiped_one_is_another_incarnation() -> None:
    """Empty, as a cache that restarted."""
    async with MemorySink() as sink:
        await asking.apply(sink, store())
        before = await sink.stats(None)
        sink.wipe()
        after = await sink.stats(None)
        assert (after.digest.count, after.changes) == (0, 0)
        assert after.incarnation != before.incarnation
        assert await asking.state(sink, address()) == ("unknown", None)


async def test_the_limit_is_of_bytes() -> None:
    """Of the value's JSON text in UTF-8: exactly the limit is taken."""
    async with MemorySink(max_value_bytes=6) as sink:
        outcomes = await asking.apply(sink, store("a", "éé"), store("b", "ééx"), store("c", "xxxx"))
        assert outcomes[1] == Outcome("refused", "the value takes 7 bytes, this sink keeps at most 6")
        assert [outcome.decision for outcome in outcomes] == ["applied", "refused", "applied"]
