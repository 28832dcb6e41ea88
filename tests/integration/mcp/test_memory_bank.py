"""`@allpepper/memory-bank-mcp`, the real one: what is stored is in its own files, whatever it says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.errors import ToolFailed
from memlane.storage.mcp.profile import Call, Wanted, make_profile
from memlane.storage.mcp.profiles.memory_bank import BLANK, MemoryBank
from memlane.storage.mcp.record import decode_record
from memlane.storage.mcp.session import ToolAnswer
from memlane.storage.mcp.transport import make_client_from
from memlane.storage.outcome import APPLIED
from memlane.storage.settings import SinkSettings
from tests.integration.mcp.cases import HOSTILE, VALUES
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.sinks import apply, value_at

PROFILE = "memory-bank"


@pytest.fixture
async def sink(make_sink: MakeSink, memory_bank: str) -> AsyncIterator[McpSink]:
    """On a server of its own."""
    async with make_sink(memory_bank, mcp_profile=PROFILE) as sink:
        yield sink


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The server's own folder."""
    return tmp_path / "mcp" / "memory-bank-000"


async def test_it_is_installed_by_its_name() -> None:
    """The settings name it."""
    assert isinstance(make_profile(PROFILE), MemoryBank)


async def test_an_entry_is_one_file(sink: McpSink, root: Path) -> None:
    """Stored, changed, deleted, stored again: its file holds what is wanted."""
    command, other = store("k", 1), store("other", 2)
    await apply(sink, command, other)
    assert held(root) == {command.address: command, other.address: other}
    newer = store("k", {"now": "this"})
    await apply(sink, newer)
    assert held(root) == {command.address: newer, other.address: other}
    assert (await value_at(sink, newer.address)) == {"now": "this"}
    await apply(sink, delete("k"))
    assert held(root) == {other.address: other}
    await apply(sink, store("k", "again"))
    assert held(root)[command.address].value == "again"
    assert len(files(root)) == 2


async def test_what_is_deleted_is_blank(sink: McpSink, root: Path) -> None:
    """Whatever the scope: the server can delete no file, and none has anything in it."""
    commands = [store(key, namespace=namespace) for namespace in ("a", "a/b", "c") for key in ("1", "2")]
    await apply(sink, *commands, store("of another", user="v"))
    await apply(sink, delete_namespace("a"))
    assert sorted(held(root)) == [("u", "c", "1"), ("u", "c", "2"), ("v", "default", "of another")]
    await apply(sink, forget("u"), forget("v"))
    assert [file.read_text() for file in files(root)] == [BLANK] * 7
    (fetched,) = await sink.fetch([commands[0].address], datetime.now(UTC))
    assert fetched.entry is None


async def test_what_never_was_is_not_made_to_be_deleted(sink: McpSink, root: Path) -> None:
    """No blank file for it."""
    await apply(sink, delete("k"))
    assert files(root) == []


async def test_addresses_never_meet(sink: McpSink, root: Path) -> None:
    """Not by case, by slashes, nor by length; and none leaves the folder."""
    commands = [store(a.key, n, user=a.user_id, namespace=a.namespace) for n, a in enumerate(HOSTILE)]
    await apply(sink, *commands)
    assert held(root) == {command.address: command for command in commands}
    assert [await value_at(sink, address) for address in HOSTILE] == list(range(len(HOSTILE)))
    assert len({str(file).casefold() for file in files(root)}) == len(HOSTILE)
    await apply(sink, delete("k", user="A", namespace="n"))
    assert held(root).keys() == set(HOSTILE[1:])


async def test_values_come_back_as_they_were(sink: McpSink, root: Path) -> None:
    """Lines, emoji, quotes, 100 KB, and what looks like the server's own words."""
    commands = [store(f"k{n}", value) for n, value in enumerate(VALUES)]
    await apply(sink, *commands)
    assert held(root) == {command.address: command for command in commands}
    assert [await value_at(sink, command.address) for command in commands] == VALUES


async def test_the_same_again_changes_nothing(sink: McpSink, root: Path) -> None:
    """Not even a file."""
    commands = [store(f"k{n}", {"n": [n, None]}) for n in range(20)]
    await apply(sink, *commands)
    before = [file.stat().st_mtime_ns for file in files(root)]
    await apply(sink, *commands, *reversed(commands))
    assert [file.stat().st_mtime_ns for file in files(root)] == before


async def test_a_new_start_finds_everything(make_sink: MakeSink, memory_bank: str, root: Path) -> None:
    """The server's process is another one, its files are the same."""
    commands = [store(f"k{n}", n) for n in range(5)]
    async with make_sink(memory_bank, mcp_profile=PROFILE) as sink:
        await apply(sink, *commands)
    before = [file.stat().st_mtime_ns for file in files(root)]
    async with make_sink(memory_bank, mcp_profile=PROFILE) as sink:
        assert [await value_at(sink, one.address) for one in commands] == list(range(5))
    assert [file.stat().st_mtime_ns for file in files(root)] == before


async def test_what_others_spoil_is_not_served_and_is_mended(sink: McpSink, root: Path) -> None:
    """A file cut short, as a crash leaves it, or another entry's record in its place."""
    command, other = store("k", "as it was"), store("other")
    await apply(sink, command, other)
    (file,) = (one for one in files(root) if "as it was" in one.read_text())
    (others,) = set(files(root)) - {file}
    for spoilt in ("", file.read_text()[:40], others.read_text(), "# Notes\n"):
        file.write_text(spoilt)
        (fetched,) = await sink.fetch([command.address], datetime.now(UTC))
        assert fetched.state == "unknown"
        assert await apply(sink, command) == [APPLIED]
        assert held(root) == {command.address: command, other.address: other}


class Meddled(MemoryBank):
    """Somebody makes the file just before the server is asked to write it, the first time."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.failures: list[str] = []

    async def bring(self, call: Call, wanted: Wanted) -> None:
        """With a file made in between."""

        # Any: what a tool takes is JSON.
        async def meddle(tool: str, arguments: dict[str, Any]) -> ToolAnswer:
            if tool == "memory_bank_write" and not self.failures:
                file = self.root / arguments["projectName"] / arguments["fileName"]
                file.parent.mkdir(parents=True)
                file.write_text("an agent's own")
            return await call(tool, arguments)

        try:
            await super().bring(meddle, wanted)
        except ToolFailed as error:
            self.failures.append(str(error))
            raise


async def test_a_write_that_does_nothing_is_no_success(memory_bank: str, root: Path) -> None:
    """The server says that it wrote a file that was there already. It is read back, and done again."""
    folder = root.parent
    profile = Meddled(root)
    make_client = make_client_from(SinkSettings(mcp_command=memory_bank, mcp_dir=folder), profile)
    async with McpSink(folder, profile, make_client) as sink:
        command = store("k", "what is wanted")
        assert await apply(sink, command) == [APPLIED]
    assert profile.failures == ["the server says that the file is written, but it holds something else"]
    assert held(root) == {command.address: command}


def files(root: Path) -> list[Path]:
    """The server's own, sorted; fails where one is anywhere but in a folder of the root's."""
    assert {path for path in root.rglob("*") if path.is_file()} == set(root.glob("*/*.json"))
    return sorted(root.glob("*/*.json"))


def held(root: Path) -> dict[Address, StoreCommand]:
    """All that is there, by address; fails on what is neither an entry nor blank, or is there twice."""
    found: dict[Address, StoreCommand] = {}
    for text in [file.read_text(encoding="utf-8") for file in files(root)]:
        if text == BLANK:
            continue
        command = decode_record(text)
        assert command is not None, text
        assert command.address not in found
        found[command.address] = command
    return found
