"""The profile user-memory, on a real server with these tools, over its input and output and over HTTP."""

import asyncio
import inspect
import json
import os
import re
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memlane.contracts.address import Address
from memlane.contracts.canonical import parse
from memlane.storage.conformance.cases import VALUES
from memlane.storage.errors import SinkUnavailable
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.profiles import user_memory
from memlane.storage.mcp.profiles.user_memory import key_of
from memlane.storage.mcp.record import decode_record, encode_record
from tests.integration.mcp.conftest import MakeSink
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.sinks import apply, apply_in_the_end
from tests.support.user_memory_server import PROGRAM, command_line, kept

TOKEN = "a bearer's token"
HOSTILE = [
    " ", "- ", "a: b", ": {", "- 7.5:default/color: {}", '{"type":"store"}', "null", "1", "[1]", '"', "'",
    "\\", "\u2028", "\ufeff", "\U0001f642", "é", "e\u0301", "%s", "../..", "; DROP TABLE memories", "x" * 255,
]  # fmt: skip
"""Texts that a line of text, JSON or SQL could be confused by."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The server's store."""
    return tmp_path / "mcp" / "user-memory.db"


@pytest.fixture(params=["stdio", "http"])
async def sink(request: pytest.FixtureRequest, make_sink: MakeSink, file: Path) -> AsyncIterator[McpSink]:
    """On a server of its own, by either way."""
    if request.param == "stdio":
        async with make_sink(command_line(), mcp_profile="user-memory") as sink:
            yield sink
    else:
        async with (
            running_over_http(file) as url,
            make_sink(None, mcp_profile="user-memory", mcp_url=url, mcp_token=TOKEN) as sink,
        ):
            yield sink


async def test_what_is_stored_is_in_the_server_once(sink: McpSink, file: Path) -> None:
    """The newest of an address, whatever was there, and under a key that says where."""
    first, second, other = store("color", "blue"), store("color", "red"), store("color", 1, user="v")
    await apply(sink, first, other)
    await apply(sink, second)
    await apply(sink, first)
    assert kept(file) == [
        ("u", "7.5:default/color", encode_record(second)),
        ("v", "7.5:default/color", encode_record(other)),
    ]
    assert await values(sink, second.address, other.address) == ["red", 1]


async def test_what_is_deleted_is_gone_from_the_server(sink: McpSink, file: Path) -> None:
    """Whatever the scope; what others remember about the user stays."""
    remember(file, "u", "a friend's", "own words")
    commands = [store(key, namespace=namespace) for namespace in ("a", "a/b", "c") for key in ("1", "2")]
    await apply(sink, *commands, store("of another", user="v"))
    await apply(sink, delete("1", namespace="c"))
    await apply(sink, delete_namespace("a"))
    assert [(user, key) for user, key, _ in kept(file)] == [
        ("u", "1.1:c/2"),
        ("u", "a friend's"),
        ("v", "7.10:default/of another"),
    ]
    await apply(sink, forget("u"), forget("v"))
    assert kept(file) == [("u", "a friend's", "own words")]


async def test_hostile_identifiers_never_meet(sink: McpSink, file: Path) -> None:
    """As users, as namespaces and as keys, each comes back from where it was put."""
    parts = [text.replace("/", "|") for text in HOSTILE]
    commands = [
        *(store("k", n, user=text) for n, text in enumerate(HOSTILE)),
        *(store("k", n, namespace=text) for n, text in enumerate(parts)),
        *(store(text, n) for n, text in enumerate(HOSTILE)),
        *(
            store(text, n, user=text, namespace=f"{part}/{n}")
            for n, (text, part) in enumerate(
                zip([one[:250] for one in HOSTILE], [one[:250] for one in parts], strict=True)
            )
        ),
        store("c", 0, namespace="a/b"),
        store("b/c", 1, namespace="a"),
    ]
    await apply(sink, *commands)
    assert held(file) == {one.address: one.value_json for one in commands}
    assert await values(sink, *(one.address for one in commands)) == [one.value for one in commands]
    await apply(sink, *(delete(a.key, user=a.user_id, namespace=a.namespace) for a in held(file)))
    assert kept(file) == []


async def test_hostile_values_come_back_byte_for_byte(sink: McpSink, file: Path) -> None:
    """Also those that look like an answer of the server, or like what it keeps."""
    texts = [*HOSTILE, "line\n- 1.1:a/b: {}\r\n", *(encode_record(store("k", text)) for text in HOSTILE[:3])]
    commands = [
        store(f"k{n}", value)
        for n, value in enumerate([*map(parse, VALUES), *texts, {"big": ["x" * 300_000]}])
    ]
    await apply(sink, *commands)
    assert held(file) == {one.address: one.value_json for one in commands}
    fetched = await sink.fetch([one.address for one in commands], datetime.now(UTC))
    assert [one.entry.value_json for one in fetched if one.entry] == [one.value_json for one in commands]


async def test_the_same_again_changes_nothing(sink: McpSink, file: Path) -> None:
    """Not even the file."""
    commands = [store(f"k{n}", n) for n in range(20)]
    await apply(sink, *commands)
    before = changes(file)
    await apply(sink, *commands, *reversed(commands))
    assert changes(file) == before


async def test_what_an_agent_has_spoilt_is_not_served_and_is_mended(sink: McpSink, file: Path) -> None:
    """An entry that is not as it was stored, or is that of another place, is unknown here."""
    one, two = store("one"), store("two")
    await apply(sink, one, two)
    remember(file, "u", key_of(one.address), "something else")
    remember(file, "u", key_of(two.address), encode_record(store("one", "of another place")))
    assert [found.state for found in await sink.fetch([one.address, two.address], datetime.now(UTC))] == [
        "unknown",
        "unknown",
    ]
    await apply(sink, one, two)
    assert held(file) == {one.address: one.value_json, two.address: two.value_json}


async def test_what_was_stored_is_there_after_a_restart(make_sink: MakeSink, file: Path) -> None:
    """Of sink and server; what the server has lost meanwhile is brought to it again."""
    commands = [store(f"k{n}", n) for n in range(5)]
    async with make_sink(command_line(), mcp_profile="user-memory") as sink:
        await apply(sink, *commands)
    async with make_sink(command_line(), mcp_profile="user-memory") as sink:
        assert await values(sink, *(one.address for one in commands)) == list(range(5))
    forget_all(file)
    async with make_sink(command_line(), mcp_profile="user-memory") as sink:
        assert await values(sink, *(one.address for one in commands)) == list(range(5))
        assert held(file) == {one.address: one.value_json for one in commands}


@pytest.mark.parametrize("token", ["another token", None])
async def test_a_server_that_does_not_know_the_token_is_unavailable(
    make_sink: MakeSink, file: Path, token: str | None
) -> None:
    """And nothing is written."""
    async with running_over_http(file) as url:
        with pytest.raises(SinkUnavailable, match="could not be started or reached"):
            async with make_sink(None, mcp_profile="user-memory", mcp_url=url, mcp_token=token):
                pass
    assert kept(file) == []


async def test_a_server_over_http_that_was_restarted_is_found_again(make_sink: MakeSink, file: Path) -> None:
    """While it is down the sink is unavailable."""
    async with running_over_http(file) as url:
        sink = make_sink(None, mcp_profile="user-memory", mcp_url=url, mcp_token=TOKEN, mcp_timeout="2s")
        await sink.__aenter__()
    try:
        with pytest.raises(SinkUnavailable):
            await apply(sink, store("k"))
        async with running_over_http(file, port=int(url.split(":")[2].split("/")[0])):
            await apply_in_the_end(sink, store("k", "at last"))
        assert list(held(file).values()) == ['"at last"']
    finally:
        await sink.__aexit__(None, None, None)


def test_the_page_shows_the_profile_as_it_is() -> None:
    """The example of docs/mcp-profiles.md stands in the profile's own file."""
    page = (Path(__file__).parents[3] / "docs" / "mcp-profiles.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(class UserMemory.*?)```", page, re.DOTALL)
    assert block in inspect.getsource(user_memory)


@asynccontextmanager
async def running_over_http(file: Path, port: int = 0) -> AsyncIterator[str]:
    """The server's URL, while it runs."""
    file.parent.mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(PROGRAM),
        "--http",
        str(port),
        env={**os.environ, "USER_MEMORY_FILE": str(file), "USER_MEMORY_TOKEN": TOKEN},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


def held(file: Path) -> dict[Address, str]:
    """The values that the server's store holds; fails on what is no entry, or not in its place."""
    found = {}
    for user, key, text in kept(file):
        command = decode_record(text)
        assert command is not None, text
        assert (user, key) == (command.user_id, key_of(command.address))
        found[command.address] = command.value_json
    return found


def remember(file: Path, user: str, key: str, value: str) -> None:
    """Writes to the server's store behind memlane's back."""
    kept(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as store_:
        store_.execute("INSERT OR REPLACE INTO memories VALUES (?, ?, ?)", (user, key, value))


def forget_all(file: Path) -> None:
    """Takes the server's store away."""
    file.unlink()


def changes(file: Path) -> bytes:
    """What is another one after every write."""
    return file.read_bytes()


async def values(sink: McpSink, *addresses: Address) -> list[object]:
    """What the sink finds there."""
    found = await sink.fetch(addresses, datetime.now(UTC))
    return [one.state if one.entry is None else json.loads(one.entry.value_json) for one in found]
