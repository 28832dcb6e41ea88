"""The sink that fails when it is told to, and only then."""

import asyncio
from datetime import timedelta

import pytest

from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, store
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.outcome import APPLIED

_BUSY = SinkBusy("not now")


async def test_it_fails_as_often_as_it_was_told() -> None:
    """And works again."""
    async with FailingSink(MemorySink()) as sink:
        sink.fail("apply", error=_BUSY, times=2)
        for _ in range(2):
            with pytest.raises(SinkBusy):
                await asking.apply(sink, store())
        assert await asking.apply(sink, store()) == [APPLIED]
        assert sink.calls["apply"] == 3


async def test_it_fails_only_where_it_was_told() -> None:
    """Other methods work."""
    async with FailingSink(MemorySink()) as sink:
        sink.fail("find", "fetch", error=_BUSY)
        await sink.health()
        await asking.apply(sink, store())
        with pytest.raises(SinkBusy):
            await asking.page(sink)
        with pytest.raises(SinkBusy):
            await asking.fetch(sink, address())


async def test_down_is_down_until_it_is_healed() -> None:
    """Connecting too."""
    sink = FailingSink(MemorySink())
    sink.go_down("pulled the plug")
    with pytest.raises(SinkUnavailable, match="pulled the plug"):
        await sink.__aenter__()
    sink.heal()
    async with sink:
        sink.go_down()
        with pytest.raises(SinkUnavailable):
            await sink.health()
        with pytest.raises(SinkUnavailable):
            await sink.stats(None)
        sink.heal()
        await sink.health()


async def test_a_poisoned_command_fails_its_batch() -> None:
    """Nothing of the batch is applied; without it the others are, and it is once it is cured."""
    poison, good = store("poison"), store("good", at=2)
    async with FailingSink(MemorySink()) as sink:
        sink.poison(poison.id)
        with pytest.raises(ValueError, match=poison.id):
            await asking.apply(sink, good, poison)
        assert await asking.keys(sink) == []
        assert await asking.apply(sink, good) == [APPLIED]
        sink.heal()
        with pytest.raises(ValueError, match=poison.id):
            await asking.apply(sink, poison)
        sink.cure(poison.id)
        assert await asking.apply(sink, poison) == [APPLIED]
        assert sink.batches == [[good.id, poison.id], [good.id], [poison.id], [poison.id]]


async def test_an_answer_can_be_lost_after_the_work() -> None:
    """As when a connection breaks behind the commit: the redelivery finds it done."""
    async with FailingSink(MemorySink()) as sink:
        sink.fail("apply", error=SinkUnavailable("broken pipe"), times=1, after=True)
        with pytest.raises(SinkUnavailable):
            await asking.apply(sink, store())
        assert await asking.value(sink, address()) == "a value"
        assert await asking.apply(sink, store()) == [APPLIED]


async def test_it_hangs_until_it_is_healed() -> None:
    """Calls wait, and then go on."""
    async with FailingSink(MemorySink()) as sink:
        sink.hang()
        call = asyncio.create_task(asking.apply(sink, store()))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(sink.health(), timeout=0.01)
        assert not call.done()
        sink.heal()
        assert await call == [APPLIED]


async def test_it_is_slow_where_it_was_told() -> None:
    """Longer than a deadline, say."""
    async with FailingSink(MemorySink()) as sink:
        sink.slow(timedelta(minutes=1), "find")
        await asking.apply(sink, store())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asking.page(sink), timeout=0.01)
        sink.heal()
        assert await asking.keys(sink) == ["k"]
