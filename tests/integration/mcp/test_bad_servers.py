"""What an MCP server can do wrong, and what the sink makes of it: nothing is believed, nothing is lost."""

import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.errors import BatchBroke
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, store
from tests.support.sinks import apply, apply_in_the_end
from tests.support.user_memory_server import command_line, kept, order

POISON = "a poisonous word"
WRITES_THAT_FAIL = ["error", "excuse", "lie"]


@pytest.fixture
def make_bad_sink(make_sink: MakeSink, orders: Path) -> MakeSink:
    """Makes a sink, not entered, whose server takes orders."""
    environment = {"USER_MEMORY_ORDERS": str(orders)}
    return partial(make_sink, command_line(), mcp_profile="user-memory", mcp_env=environment)


@pytest.fixture
def bad_sink(make_bad_sink: MakeSink) -> McpSink:
    """Such a sink, with the timeouts that it has by default."""
    return make_bad_sink()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The server's store."""
    return tmp_path / "mcp" / "user-memory.db"


@pytest.mark.parametrize("start", ["exit", "garbage"])
async def test_a_server_that_does_not_come_up_is_unavailable(
    make_bad_sink: MakeSink, orders: Path, start: str
) -> None:
    """It ends at once, or says what is no answer; the settings to look at are named."""
    bad_sink = make_bad_sink(mcp_timeout="5s", mcp_start_timeout="5s")
    order(orders, start=start)
    with pytest.raises(SinkUnavailable, match="could not be started or reached") as raised:
        await bad_sink.__aenter__()
    assert "MEMLANE_MCP_COMMAND" in str(raised.value.hint)
    order(orders)
    async with bad_sink:
        await bad_sink.check()


@pytest.mark.parametrize(
    ("start", "words"), [("no tool", "'delete_user_memories'"), ("no argument", "takes no value")]
)
async def test_a_server_of_another_kind_is_a_wrong_setting(
    bad_sink: McpSink, orders: Path, start: str, words: str
) -> None:
    """What it lacks is named, a tool or an argument."""
    order(orders, start=start)
    with pytest.raises(SinkMisconfigured, match=words):
        await bad_sink.__aenter__()


async def test_a_server_that_hangs_is_unavailable_in_time(
    make_bad_sink: MakeSink, orders: Path, file: Path
) -> None:
    """A question waits for one timeout, a batch for some new starts; what hung is done when it is back."""
    command, late = store("k", "before"), store("late")
    async with make_bad_sink(mcp_timeout="0.5s") as bad_sink:
        await apply(bad_sink, command)
        order(orders, read="hang")
        began = time.monotonic()
        with pytest.raises(SinkUnavailable):
            await bad_sink.fetch([command.address], datetime.now(UTC))
        assert time.monotonic() - began < 2
        order(orders, write="hang")
        began = time.monotonic()
        with pytest.raises(SinkUnavailable):
            await apply(bad_sink, late)
        assert time.monotonic() - began < 60
        order(orders)
        await apply_in_the_end(bad_sink, late)
    assert keys(file) == ["7.1:default/k", "7.4:default/late"]


@pytest.mark.parametrize("write", WRITES_THAT_FAIL)
async def test_a_server_that_writes_nothing_is_unavailable(
    bad_sink: McpSink, orders: Path, file: Path, write: str
) -> None:
    """Whether it calls that an error, makes an excuse or says that it is done: it may be all right later."""
    old, new = store("old"), store("new")
    async with bad_sink:
        await apply(bad_sink, old)
        order(orders, write=write)
        for batch in ([new], [delete("old")], [new, delete("old")]):
            with pytest.raises(SinkUnavailable, match="does not take even a small entry"):
                await apply(bad_sink, *batch)
        with pytest.raises(SinkUnavailable):
            await bad_sink.check()
        (one, other) = await bad_sink.fetch([old.address, new.address], datetime.now(UTC))
        assert (one.state, other.state) == ("entry", "unknown")
        order(orders)
        await apply(bad_sink, new, delete("old"))
    assert keys(file) == ["7.3:default/new"]


@pytest.mark.parametrize("read", ["error", "excuse"])
async def test_a_server_that_cannot_be_read_is_unavailable(
    bad_sink: McpSink, orders: Path, file: Path, read: str
) -> None:
    """An excuse is not taken for an empty list: a delete that cannot be seen is not done."""
    command = store("k")
    async with bad_sink:
        await apply(bad_sink, command)
        order(orders, read=read)
        with pytest.raises(SinkUnavailable):
            await bad_sink.fetch([command.address], datetime.now(UTC))
        with pytest.raises(SinkUnavailable):
            await apply(bad_sink, delete("k"))
        order(orders)
        await apply(bad_sink, delete("k"))
    assert keys(file) == []


async def test_an_entry_that_kills_the_server_breaks_its_own_batch(
    bad_sink: McpSink, orders: Path, file: Path
) -> None:
    """The lane halves such a batch: the others are applied, and of that one nothing is held."""
    good, bad = [store(f"k{n}") for n in range(3)], store("bad", f"with {POISON} in it")
    async with bad_sink:
        order(orders, poison=POISON)
        with pytest.raises(BatchBroke):
            await apply(bad_sink, good[0], bad, good[1])
        await apply(bad_sink, good[0], good[1])
        with pytest.raises(BatchBroke):
            await apply(bad_sink, bad)
        await apply(bad_sink, good[2])
        (found,) = await bad_sink.fetch([bad.address], datetime.now(UTC))
        assert found.state == "unknown"
        await bad_sink.sweep(datetime.now(UTC))
    assert keys(file) == [f"7.2:default/k{n}" for n in range(3)]
    assert POISON not in str(kept(file))


def keys(file: Path) -> list[str]:
    """All that the server's store holds, by its keys."""
    return [key for _, key, _ in kept(file)]
