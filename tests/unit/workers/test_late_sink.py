"""A sink that is entered when it can be reached."""

from datetime import UTC, datetime

import pytest

from memlane.storage.conformance.commands import store
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.late_sink import LateSink


async def test_it_remembers_which_store_it_found() -> None:
    """As it was before anything was applied; what is applied since does not change that."""
    inner = MemorySink()
    async with inner:
        await inner.apply([store("earlier")], datetime.now(UTC))
        before = await inner.health()
    sink = LateSink(inner)
    assert sink.first_seen is None
    async with sink:
        assert sink.first_seen == before
        await sink.apply([store()], datetime.now(UTC))
        assert await sink.health() != before
        assert sink.first_seen == before


async def test_one_that_comes_late_is_looked_at_then() -> None:
    """Not before, and before it takes a command."""
    inner = FailingSink(MemorySink())
    inner.fail("enter", error=SinkUnavailable("away"), times=2)
    async with LateSink(inner) as sink:
        assert sink.first_seen is None
        with pytest.raises(SinkUnavailable, match="away"):
            await sink.health()
        assert sink.first_seen is None
        assert await sink.health() == sink.first_seen


@pytest.mark.parametrize("error", [SinkUnavailable("away"), RuntimeError("broken")])
async def test_one_whose_health_check_fails_is_not_entered(error: Exception) -> None:
    """Its own trouble: it is entered when it is well."""
    memory = MemorySink()
    inner = FailingSink(memory)
    inner.fail("health", error=error, times=1)
    async with LateSink(inner) as sink:
        with pytest.raises(SinkUnavailable, match=r"away|broke off"):
            await sink.stats(None)
        with pytest.raises(SinkUnavailable, match="not open"):
            await memory.stats(None)
        assert await sink.health() == sink.first_seen
        assert (await sink.stats(None)).live == 0
    assert inner.calls["enter"] == 2


async def test_one_that_is_set_up_wrongly_is_told_at_the_start() -> None:
    """Also where only its health check finds that out."""
    inner = FailingSink(MemorySink())
    inner.fail("health", error=SinkMisconfigured("wrong"))
    with pytest.raises(SinkMisconfigured, match="wrong"):
        await LateSink(inner).__aenter__()
