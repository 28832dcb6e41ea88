"""The real `@modelcontextprotocol/server-memory`: what is stored is in its own file, whatever happens."""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.storage.errors import SinkUnavailable
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.profiles.server_memory import ServerMemory
from memlane.storage.mcp.transport import make_client_from
from memlane.storage.settings import SinkSettings
from memlane.storage.sqlite import SqliteSink
from tests.integration.conftest import StartSystem
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.mcp_servers import entities, entities_by_file, held, servers_of_this_process
from tests.support.sinks import apply, apply_in_the_end
from tests.support.waiting import wait_until


@pytest.fixture
async def sink(make_sink: MakeSink, server_memory: str) -> AsyncIterator[McpSink]:
    """On a server of its own."""
    async with make_sink(server_memory) as sink:
        yield sink


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the server has its file."""
    return tmp_path / "mcp"


@pytest.mark.parametrize("count", [20, 200])
async def test_concurrent_stores_are_all_there(
    start_system: StartSystem, make_sink: MakeSink, server_memory: str, folder: Path, count: int
) -> None:
    """The server alone keeps one of twenty, and calls all of them a success."""
    system = await start_system(make_sink(server_memory))
    async with system.client(deadline="PT20S") as client:
        receipts = await asyncio.gather(
            *(client.store("u", f"k{n}", f"value {n}", wait="all") for n in range(count))
        )
    assert [receipt.applied for receipt in receipts] == [{"mcp"}] * count
    assert {one.key: one.value for one in entities(folder)} == {f"k{n}": f"value {n}" for n in range(count)}
    assert len(entities(folder)) == count


async def test_what_is_deleted_is_gone_from_its_file(sink: McpSink, folder: Path) -> None:
    """Whatever the scope."""
    commands = [store(key, namespace=namespace) for namespace in ("a", "a/b", "c") for key in ("1", "2")]
    await apply(sink, *commands, store("of another", user="v"))
    await apply(sink, delete("1", namespace="c"))
    await apply(sink, delete_namespace("a"))
    assert [(one.user_id, one.namespace, one.key) for one in entities(folder)] == [
        ("u", "c", "2"),
        ("v", "default", "of another"),
    ]
    await apply(sink, forget("u"), forget("v"))
    assert entities(folder) == []


async def test_what_several_marks_cover_is_gone_too(sink: McpSink, folder: Path) -> None:
    """More than goes at once, under a mark of the user and a newer one of a namespace in it."""
    for start in range(0, 1200, 400):
        await apply(sink, *(store(f"k{n}", namespace="a/b") for n in range(start, start + 400)))
    await apply(sink, store("other", user="v"))
    await apply(sink, forget("u"), delete_namespace("a"))
    for _ in range(3):
        await sink.sweep(datetime.now(UTC), limit=500)
    assert [one.user_id for one in entities(folder)] == ["v"]


async def test_what_was_forgotten_is_not_brought_again(
    make_sink: MakeSink, server_memory: str, folder: Path
) -> None:
    """A server that lost its file gets what is left, and not what a mark covers that is not purged yet."""
    async with make_sink(server_memory) as sink:
        await apply(sink, *(store(f"k{n}") for n in range(1500)), store("k", user="v"))
        await apply(sink, forget("u"))
        assert (await sink.stats(None)).digest.count > 2, "some rows are still to be purged"
    remove_files(folder)
    async with make_sink(server_memory) as sink:
        assert "u" not in {one.user_id for one in entities(folder)}
        for _ in range(3):
            await sink.sweep(datetime.now(UTC))
        assert [one.user_id for one in entities(folder)] == ["v"]


async def test_addresses_never_meet(sink: McpSink, folder: Path) -> None:
    """Their parts have their lengths in front: joined by slashes, these would be one."""
    places = [
        Address("a", "b/c", "d"),
        Address("a/b", "c", "d"),
        Address("a", "b", "c/d"),
        Address("A", "b/c", "d"),
    ]
    await apply(sink, *(store(a.key, n, user=a.user_id, namespace=a.namespace) for n, a in enumerate(places)))
    assert {address: one.value for address, one in held(folder).items()} == dict(
        zip(places, range(4), strict=True)
    )


async def test_the_same_again_changes_nothing(sink: McpSink, folder: Path) -> None:
    """Not even the file."""
    commands = [store(f"k{n}", {"n": [n, None]}) for n in range(50)]
    await apply(sink, *commands)
    before = (folder / "memory-000.jsonl").stat()
    await apply(sink, *commands, *reversed(commands))
    after = (folder / "memory-000.jsonl").stat()
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


async def test_what_an_agent_has_spoilt_is_not_served_and_is_mended(sink: McpSink, folder: Path) -> None:
    """An entry that is not as it was stored is unknown here; sent again, it is as it was."""
    command = store("k", "as it was")
    await apply(sink, command, store("other"))
    file = folder / "memory-000.jsonl"
    file.write_text(file.read_text().replace("as it was", "as it is not"))
    (fetched,) = await sink.fetch([command.address], datetime.now(UTC))
    assert (fetched.state, fetched.version) == ("unknown", command.id)
    await apply(sink, command)
    assert held(folder)[command.address].value == "as it was"
    (fetched,) = await sink.fetch([command.address], datetime.now(UTC))
    assert fetched.state == "entry"


async def test_a_server_that_lost_its_file_gets_everything_again(
    make_sink: MakeSink, server_memory: str, folder: Path
) -> None:
    """When it is next started."""
    commands = [store(f"k{n}", n) for n in range(20)]
    async with make_sink(server_memory) as sink:
        await apply(sink, *commands)
    remove_files(folder)
    async with make_sink(server_memory):
        assert held(folder) == {command.address: command for command in commands}


async def test_many_users_are_spread_over_several_files(server_memory: str, tmp_path: Path) -> None:
    """None grows beyond its bound, and a user stays in one while that has room."""

    class Small(ServerMemory):
        entities_a_server: int | None = 10

    settings = SinkSettings(mcp_command=server_memory, mcp_dir=tmp_path)
    profile = Small()
    async with McpSink(tmp_path, profile, make_client_from(settings, profile)) as sink:
        commands = [store(f"k{n}", user=f"u{user}") for user in range(8) for n in range(4)]
        await apply(sink, *commands)
        await apply(sink, forget("u0"))
        await apply(sink, store("again", user="u0"))
        sizes = entities_by_file(tmp_path)
        assert len(sizes) == 4
        assert max(sizes) <= 10
        kept = {command.address: command for command in commands if command.user_id != "u0"}
        assert held(tmp_path).keys() == kept.keys() | {Address("u0", "default", "again")}
        assert all(one.state == "entry" for one in await sink.fetch(list(kept), datetime.now(UTC)))


async def test_one_process_owns_a_store(make_sink: MakeSink, sink: McpSink, server_memory: str) -> None:
    """A second one would lose the first one's writes."""
    with pytest.raises(SinkUnavailable, match=rf"the process {os.getpid()} serves the MCP store"):
        async with make_sink(server_memory):
            pass
    await sink.health()


async def test_a_killed_server_is_started_again(sink: McpSink, folder: Path) -> None:
    """By the next call, and nothing is missing."""
    await apply(sink, store("a"))
    kill_servers()
    await wait_until_back(sink)
    await apply(sink, store("b"))
    assert {one.key for one in entities(folder)} == {"a", "b"}


async def test_any_deliveries_while_the_server_is_killed_end_as_they_should(
    sink: McpSink, folder: Path, tmp_path: Path
) -> None:
    """Nothing is wrong, left over or lost; SQLite, which got the same undisturbed, holds the same.

    Thousands of stores and deletes, shuffled and repeated, with SIGKILL at random moments.
    """
    dice = random.Random(20)
    commands = deliveries(dice, 5000)
    killed: list[int] = []
    async with SqliteSink(tmp_path / "undisturbed.db") as undisturbed:
        left = list(commands)
        while left:
            batch, left = left[:100], left[100:]
            await apply(undisturbed, *batch)
            killing = asyncio.create_task(kill_by_chance(dice, killed))
            await apply_in_the_end(sink, *batch)
            await killing
        assert len(killed) > 5
        await wait_until_back(sink)
        await sink.sweep(datetime.now(UTC), limit=10_000)
        assert await sink.digests() == await undisturbed.digests()
        addresses = sorted({one.address for one in commands if hasattr(one, "address")})
        now = datetime.now(UTC)
        expected = {
            one.entry.address: one.entry.value
            for one in await undisturbed.fetch(addresses, now)
            if one.entry is not None
        }
        fetched = await sink.fetch(addresses, now)
        assert {one.entry.address: one.entry.value for one in fetched if one.entry is not None} == expected
    assert {address: one.value for address, one in held(folder).items()} == expected


def remove_files(folder: Path) -> None:
    """Takes away what the servers hold."""
    for file in folder.glob("memory-*.jsonl"):
        file.unlink()


def deliveries(dice: random.Random, count: int) -> list[AnyCommand]:
    """So many deliveries of half as many commands, out of order."""
    commands: list[AnyCommand] = []
    for n in range(count // 2):
        user, namespace, key = f"u{dice.randrange(5)}", f"n/{dice.randrange(4)}", f"k{dice.randrange(60)}"
        kind = dice.random()
        if kind < 0.75:
            commands.append(store(key, {"n": n}, user=user, namespace=namespace))
        elif kind < 0.97:
            commands.append(delete(key, user=user, namespace=namespace))
        else:
            commands.append(delete_namespace(namespace, user=user))
    twice = commands * 2
    dice.shuffle(twice)
    return twice


async def kill_by_chance(dice: random.Random, killed: list[int]) -> None:
    """Before every third batch or so, in the middle of it, or while the server starts again after it."""
    if dice.random() < 0.4:
        await asyncio.sleep(dice.uniform(0, 0.15))
        killed += kill_servers()


def kill_servers() -> list[int]:
    """Ends all servers that were started from here, at once; returns their process ids."""
    processes = servers_of_this_process()
    for process_id in processes:
        os.kill(process_id, signal.SIGKILL)
    return processes


async def wait_until_back(sink: McpSink) -> None:
    """Returns when the server answers again."""

    async def answers() -> bool:
        try:
            await sink.health()
        except SinkUnavailable:
            return False
        return True

    await wait_until(answers, "the server is back", timedelta(seconds=30))
