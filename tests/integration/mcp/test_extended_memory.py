"""`extended-memory-mcp`, the real one: what is stored is in its own database, whatever it says."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.naming import hex_name_of
from memlane.storage.mcp.profile import make_profile
from memlane.storage.mcp.profiles.extended_memory import ExtendedMemory
from memlane.storage.mcp.record import decode_record
from memlane.storage.outcome import APPLIED
from tests.integration.mcp.cases import HOSTILE, VALUES
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.sinks import apply, value_at

PROFILE = "extended-memory"


@pytest.fixture
async def sink(make_sink: MakeSink, extended_memory: str) -> AsyncIterator[McpSink]:
    """On a server of its own."""
    async with make_sink(extended_memory, mcp_profile=PROFILE) as sink:
        yield sink


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The server's own."""
    return tmp_path / "mcp" / "memory-000.db"


async def test_it_is_installed_by_its_name() -> None:
    """The settings name it."""
    assert isinstance(make_profile(PROFILE), ExtendedMemory)


async def test_an_entry_is_one_context(sink: McpSink, database: Path) -> None:
    """Stored, changed, deleted: the server holds what is wanted and nothing else."""
    command, other = store("k", 1), store("other", 2)
    await apply(sink, command, other)
    assert held(database) == {command.address: command, other.address: other}
    newer = store("k", {"now": "this"})
    await apply(sink, newer)
    assert held(database) == {command.address: newer, other.address: other}
    assert (await value_at(sink, newer.address)) == {"now": "this"}
    await apply(sink, delete("k"))
    assert held(database) == {other.address: other}
    await apply(sink, store("k", "again"))
    assert held(database)[command.address].value == "again"


async def test_nothing_stays_of_what_is_forgotten(sink: McpSink, database: Path) -> None:
    """Whatever the scope: no context, no project, no tag."""
    commands = [store(key, namespace=namespace) for namespace in ("a", "a/b", "c") for key in ("1", "2")]
    await apply(sink, *commands, store("of another", user="v"))
    await apply(sink, delete_namespace("a"))
    assert sorted(held(database)) == [("u", "c", "1"), ("u", "c", "2"), ("v", "default", "of another")]
    await apply(sink, forget("u"), forget("v"))
    for table in ("contexts", "tags", "context_tags", "projects"):
        assert rows(database, f"SELECT * FROM {table}") == []  # noqa: S608  # a constant


async def test_addresses_never_meet(sink: McpSink, database: Path) -> None:
    """Not by case, by slashes, by what the server folds, nor by looking like its answers."""
    commands = [store(a.key, n, user=a.user_id, namespace=a.namespace) for n, a in enumerate(HOSTILE)]
    await apply(sink, *commands)
    assert held(database) == {command.address: command for command in commands}
    assert [await value_at(sink, address) for address in HOSTILE] == list(range(len(HOSTILE)))
    await apply(sink, delete("k", user="A", namespace="n"))
    assert held(database).keys() == set(HOSTILE[1:])


async def test_values_come_back_as_they_were(sink: McpSink, database: Path) -> None:
    """Lines, emoji, quotes, 100 KB, and what looks like the server's own words."""
    commands = [store(f"k{n}", value) for n, value in enumerate(VALUES)]
    await apply(sink, *commands)
    assert held(database) == {command.address: command for command in commands}
    assert [await value_at(sink, command.address) for command in commands] == VALUES


async def test_it_is_as_important_to_agents(sink: McpSink, database: Path) -> None:
    """The server shows agents what is important, so it is told."""
    await apply(sink, store("k").model_copy(update={"importance": 9}))
    assert rows(database, "SELECT importance_level FROM contexts") == [(9,)]


async def test_the_same_again_changes_nothing(sink: McpSink, database: Path) -> None:
    """Not even the file."""
    commands = [store(f"k{n}", {"n": [n, None]}) for n in range(20)]
    await apply(sink, *commands)
    before = changed_at(database)
    await apply(sink, *commands, *reversed(commands))
    assert changed_at(database) == before


async def test_a_new_start_finds_everything(
    make_sink: MakeSink, extended_memory: str, database: Path
) -> None:
    """The server's process is another one, its database is the same."""
    commands = [store(f"k{n}", n) for n in range(5)]
    async with make_sink(extended_memory, mcp_profile=PROFILE) as sink:
        await apply(sink, *commands)
    before = changed_at(database)
    async with make_sink(extended_memory, mcp_profile=PROFILE) as sink:
        assert [await value_at(sink, one.address) for one in commands] == list(range(5))
    assert changed_at(database) == before


async def test_what_others_put_there_is_cleared(sink: McpSink, database: Path) -> None:
    """More contexts at an address than the server shows at once, a record and notes: one is left, or none."""
    old, new = store("k", "old"), store("k", "new")
    await apply(sink, old)
    put(database, old.address, *(f"note {n}\n📝 of\nlines" for n in range(25)))
    await apply(sink, new)
    assert held(database) == {new.address: new}
    put(database, old.address, *(f"note {n}" for n in range(25)))
    await apply(sink, delete("k"))
    assert rows(database, "SELECT * FROM contexts") == []


async def test_the_newest_of_two_is_read(sink: McpSink, database: Path) -> None:
    """As a crash between saving the new and forgetting the old leaves them, in either order."""
    old, new = store("k", "old"), store("k", "new")
    await apply(sink, new)
    record = rows(database, "SELECT content FROM contexts")[0][0]
    put(database, new.address, str(record).replace(new.id, old.id).replace("new", "old"))
    assert await value_at(sink, new.address) == "new"


async def test_a_locked_database_is_no_success(sink: McpSink, database: Path) -> None:
    """The server says "saved successfully", with the id None. Nothing is reported applied."""
    command = store("k")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(SinkUnavailable, match="does not take even a small entry"):
            await apply(sink, command)
    assert rows(database, "SELECT * FROM contexts") == []
    assert await apply(sink, command) == [APPLIED]
    assert held(database) == {command.address: command}


async def test_nothing_found_is_not_believed(sink: McpSink, database: Path, tmp_path: Path) -> None:
    """A server that cannot read its database says that its memory is empty: then nothing is deleted yet."""
    command = store("k", "is still there")
    await apply(sink, command)
    take_away(database, tmp_path / "aside.db")
    with pytest.raises(SinkUnavailable, match="does not take even a small entry"):
        await apply(sink, delete("k"))
    bring_back(database, tmp_path / "aside.db")
    assert await value_at(sink, command.address) == "is still there"
    assert await apply(sink, delete("k")) == [APPLIED]
    assert held(database) == {}


@pytest.mark.parametrize("folder", ["/var/memlane", "/etc/memlane", "a#b", "a?b", "a$HOME", "a..b"])
def test_a_folder_that_the_server_would_not_use_is_said(folder: str) -> None:
    """It refuses some, and takes others for another path."""
    with pytest.raises(SinkMisconfigured, match="cannot keep its database in"):
        ExtendedMemory().environment(Path(folder), 0)


def changed_at(file: Path) -> int:
    """When a file was last changed."""
    return file.stat().st_mtime_ns


def take_away(database: Path, to: Path) -> None:
    """So that it cannot be opened where the server looks."""
    database.rename(to)
    database.mkdir()


def bring_back(database: Path, where: Path) -> None:
    """As it was."""
    database.rmdir()
    where.rename(database)


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    """What is in the server's own database."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(sql).fetchall()


def held(database: Path) -> dict[Address, StoreCommand]:
    """All that is there, by address; fails on what is no entry, is there twice, or in another's project."""
    found: dict[Address, StoreCommand] = {}
    for project, content in rows(database, "SELECT project_id, content FROM contexts ORDER BY id"):
        command = decode_record(str(content))
        assert command is not None, content
        assert command.address not in found
        assert project == hex_name_of(command.address)
        found[command.address] = command
    return found


def put(database: Path, address: Address, *contents: str) -> None:
    """Puts contexts at an address behind the sink's back, as an agent may."""
    sql = "INSERT INTO contexts (project_id, content, importance_level, created_at) VALUES (?, ?, 3, ?)"
    now = datetime.now().isoformat()  # noqa: DTZ005  # as the server does
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany(sql, [(hex_name_of(address), content, now) for content in contents])
