"""The real server-memory and its ledger, of which one is lost or damaged while the sink runs."""

import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import address_hash, bucket_of, command_hash
from memlane.contracts.query import ListQuestion
from memlane.storage.damage import NO_HASH
from memlane.storage.errors import SinkUnavailable
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.naming import name_of
from memlane.storage.mcp.profiles.server_memory import ServerMemory
from memlane.storage.mcp.transport import make_client_from
from memlane.storage.outcome import SweepReport
from memlane.storage.settings import SinkSettings
from memlane.workers.settings import WorkerSettings
from memlane.workers.sweeper import Sweeper
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, store
from tests.support.mcp_servers import entities_by_file, held
from tests.support.sinks import apply, value_at


@pytest.fixture
async def sink(make_sink: MakeSink, server_memory: str) -> AsyncIterator[McpSink]:
    """On a server of its own."""
    async with make_sink(server_memory) as sink:
        yield sink


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the server has its file, and the sink its ledger."""
    return tmp_path / "mcp"


def remove(folder: Path) -> None:
    """Takes away what the servers hold."""
    for file in folder.glob("memory-*.jsonl"):
        file.unlink()


def empty(folder: Path) -> None:
    """The same, and leaves the files."""
    for file in folder.glob("memory-*.jsonl"):
        file.write_text("")


def edit(folder: Path, command: StoreCommand) -> None:
    """Changes what the server holds of an entry, as an agent may."""
    file = folder / "memory-000.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["name"] == name_of(command.address):
            line["observations"] = [line["observations"][0].replace('"value":', '"value":4')]
    file.write_text("\n".join(map(json.dumps, lines)))


def spoil(folder: Path, command: StoreCommand) -> None:
    """Changes what the ledger holds of an entry."""
    sql = "UPDATE rows SET value = '1' WHERE user_id = ? AND namespace = ? AND key = ?"
    with closing(sqlite3.connect(folder / "ledger.db")) as connection, connection:
        assert connection.execute(sql, command.address).rowcount == 1


def copy_ledger(folder: Path, to: Path) -> None:
    """Its three files."""
    to.mkdir()
    for file in folder.glob("ledger.db*"):
        shutil.copy(file, to)


def put_ledger(copied: Path, folder: Path) -> None:
    """In the place of the present ones, as new files."""
    for file in folder.glob("ledger.db*"):
        file.unlink()
    for file in copied.iterdir():
        shutil.copy(file, folder)


def remove_ledger(folder: Path) -> None:
    """The main file; its log stays behind."""
    (folder / "ledger.db").unlink()


async def sweep_once(sink: McpSink) -> None:
    """One round of the sweeper, as it comes at each interval."""
    await Sweeper(sink, WorkerSettings()).sweep()


async def all_held(sink: McpSink, commands: Sequence[StoreCommand]) -> bool:
    """Whether each is served from the server."""
    fetched = await sink.fetch([command.address for command in commands], datetime.now(UTC))
    return all(one.state == "entry" for one in fetched)


def bucket(command: StoreCommand) -> int:
    """Where its row is compared."""
    return bucket_of(address_hash(*command.address))


@pytest.mark.parametrize("lose", [remove, empty])
async def test_a_store_that_is_lost_is_brought_again_by_the_next_sweep(
    sink: McpSink, folder: Path, lose: Callable[[Path], None]
) -> None:
    """All of it, however much it is, without a restart."""
    commands = [store(f"k{n}", n) for n in range(1600)]
    for start in range(0, len(commands), 400):
        await apply(sink, *commands[start : start + 400])
    digests = await sink.digests()
    lose(folder)
    assert not await all_held(sink, commands[:1])
    await sweep_once(sink)
    assert held(folder) == {command.address: command for command in commands}
    assert await all_held(sink, commands)
    assert await sink.digests() == digests


async def test_what_is_stored_after_the_loss_does_not_hide_it(sink: McpSink, folder: Path) -> None:
    """Some of what is looked for is there again."""
    commands = [store(f"k{n}", n) for n in range(20)]
    await apply(sink, *commands)
    remove(folder)
    newer = [store(f"k{n}", "newer") for n in range(2)]
    await apply(sink, *newer)
    await sweep_once(sink)
    assert set(held(folder).values()) == {*newer, *commands[2:]}


async def test_nothing_is_read_again_where_nothing_is_lost(sink: McpSink, folder: Path) -> None:
    """What an agent removed by hand is not taken for the loss of everything."""
    commands = [store(f"k{n}", n) for n in range(20)]
    await apply(sink, *commands, delete("k19"))
    for _ in range(2):
        assert await sink.sweep(datetime.now(UTC)) == SweepReport()
    assert held(folder) == {command.address: command for command in commands[:19]}


async def test_every_shard_is_looked_at(server_memory: str, tmp_path: Path) -> None:
    """In turn, where there are more than may be open at once."""

    class Small(ServerMemory):
        entities_a_server: int | None = 2

    profile = Small()
    make_client = make_client_from(SinkSettings(mcp_command=server_memory, mcp_dir=tmp_path), profile)
    commands = [store(f"k{n}", n) for n in range(20)]
    async with McpSink(tmp_path, profile, make_client) as sink:
        await apply(sink, *commands)
        assert len(entities_by_file(tmp_path)) == 10
        remove(tmp_path)
        await sweep_once(sink)
        await sweep_once(sink)
        assert held(tmp_path) == {command.address: command for command in commands}


async def test_an_entry_that_was_edited_is_mended_when_its_bucket_is_recounted(
    sink: McpSink, folder: Path
) -> None:
    """From the ledger, which is intact: no row is demoted, and no other sink is needed."""
    command, other = store("k", "as it was"), store("other")
    await apply(sink, command, other)
    digests = await sink.digests()
    edit(folder, command)
    (trace,) = await sink.versions(bucket(command))
    assert (trace.version, trace.hash, trace.intact) == (command.id, command_hash(command), False)
    assert await sink.sweep(datetime.now(UTC), recount=bucket(command)) == SweepReport()
    assert held(folder) == {command.address: command, other.address: other}
    (trace,) = await sink.versions(bucket(command))
    assert (trace.version, trace.hash, trace.intact) == (command.id, command_hash(command), True)
    assert await value_at(sink, command.address) == "as it was"
    assert await sink.digests() == digests


async def test_a_damaged_ledger_does_not_spoil_the_server(sink: McpSink, folder: Path) -> None:
    """What the server has may be right: it stays, and is served when its command has come again."""
    command = store("k", "as it was")
    await apply(sink, command)
    digests = await sink.digests()
    spoil(folder, command)
    for _ in range(2):
        assert await sink.sweep(datetime.now(UTC), recount=bucket(command)) == SweepReport(damaged=1)
    (trace,) = await sink.versions(bucket(command))
    assert (trace.hash, trace.intact) == (NO_HASH, False)
    assert held(folder) == {command.address: command}
    (fetched,) = await sink.fetch([command.address], datetime.now(UTC))
    assert fetched.state == "unknown"
    await apply(sink, command)
    assert await value_at(sink, command.address) == "as it was"
    assert await sink.digests() == digests


async def test_a_ledger_that_was_removed_is_another_store(sink: McpSink, folder: Path) -> None:
    """It begins anew; what is stored again takes the place of what the server still has."""
    commands = [store(f"k{n}", n) for n in range(10)]
    await apply(sink, *commands)
    before = await sink.health()
    remove_ledger(folder)
    with pytest.raises(SinkUnavailable, match="removed or replaced"):
        await apply(sink, store())
    with pytest.raises(SinkUnavailable, match="removed or replaced"):
        await sink.sweep(datetime.now(UTC))
    after = await sink.health()
    assert after.incarnation != before.incarnation
    assert (await sink.find(ListQuestion(user_id="u"), datetime.now(UTC))).hits == []
    newer = [*commands[:5], store("k5", "newer")]
    await apply(sink, *newer, delete("k9"))
    await sweep_once(sink)
    assert await all_held(sink, newer)
    assert held(folder) == {one.address: one for one in [*commands[:9], newer[-1]]}


async def test_a_ledger_that_went_back_is_another_store(sink: McpSink, folder: Path, tmp_path: Path) -> None:
    """What it knows it goes on with; what it has forgotten comes by its lane again."""
    first, second = store("a"), store("b")
    await apply(sink, first)
    copy_ledger(folder, tmp_path / "copy")
    await apply(sink, second)
    before = await sink.health()
    put_ledger(tmp_path / "copy", folder)
    after = await sink.health()
    assert after.incarnation != before.incarnation
    assert await all_held(sink, [first])
    await apply(sink, second)
    assert await all_held(sink, [first, second])
    assert held(folder) == {first.address: first, second.address: second}
