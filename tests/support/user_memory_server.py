"""A real MCP server that remembers facts about users, in a SQLite file, and misbehaves when it is told to.

Run as a program, it talks over stdio, or over streamable HTTP with `--http` and a port (0: any free one; its
URL is the first line that it prints).

Environment:
    USER_MEMORY_FILE: its store.
    USER_MEMORY_TOKEN: the bearer token that it wants over HTTP; unset: none.
    USER_MEMORY_ORDERS: a file with `Orders` as JSON, which it looks into at its start and at every call.
"""

import asyncio
import hmac
import json
import os
import shlex
import socket
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, TypedDict, Unpack

import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

PROGRAM: Final = Path(__file__)
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS memories (user TEXT, key TEXT, value TEXT, PRIMARY KEY (user, key))"
)
_NEWEST: Final = "SELECT key, value FROM memories WHERE user = ? ORDER BY rowid DESC LIMIT ?"
_FOUND: Final = "SELECT key, value FROM memories WHERE user = ? AND instr(lower(key || value), lower(?))"
_DELETE: Final = "DELETE FROM memories WHERE user = ? AND (key = ? OR ? IS NULL)"


class Orders(TypedDict, total=False):
    """What it is to do wrong; without any it does everything right."""

    start: str
    """`exit`, or `garbage`: what it says is not JSON, or `no tool` or `no argument`: one is missing."""
    read: str
    """`hang` in it for ever, answer with an `error`, or with a text that is an `excuse`."""
    write: str
    """The same, or `lie`: say that it is done."""
    poison: str
    """A value that holds this ends the process."""


def order(file: Path, **what: Unpack[Orders]) -> None:
    """Tells the server that looks into this file what to do wrong from now on; nothing: to do all right."""
    file.write_text(json.dumps(what))


def command_line() -> str:
    """What starts it over stdio."""
    return shlex.join([sys.executable, str(PROGRAM)])


def kept(file: Path) -> list[tuple[str, str, str]]:
    """User, key and value of all that is in a store, read without the server, sorted."""
    with closing(sqlite3.connect(file)) as store:
        store.execute(_TABLE)
        return sorted(store.execute("SELECT user, key, value FROM memories"))


def orders() -> Orders:
    """Those of now."""
    file = Path(os.environ.get("USER_MEMORY_ORDERS", ""))
    found: Orders = json.loads(file.read_text()) if file.is_file() else {}
    return found


async def remember_user_info(user: str, key: str, value: str) -> str:
    """Remembers one fact about a user, in place of what was known by that key."""
    if (poison := orders().get("poison")) and poison in value:
        os._exit(1)
    said = f"Got it! I'll remember that {key}: {value}"
    if (instead := await _misbehave(orders().get("write"), said)) is None:
        with _store() as store:
            store.execute("INSERT OR REPLACE INTO memories VALUES (?, ?, ?)", (user, key, value))
    return instead or said


async def delete_user_memories(user: str, key: str | None = None) -> str:
    """Forgets a fact about a user, or all of them."""
    said = f"Okay, that is forgotten: {user}"
    if (instead := await _misbehave(orders().get("write"), said)) is None:
        with _store() as store:
            store.execute(_DELETE, (user, key, key))
    return instead or said


async def get_user_memories(user: str, limit: int = 10) -> str:
    """What is known about a user, the newest first."""
    return await _answer(user, _NEWEST, limit)


async def search_user_memory(user: str, query: str) -> str:
    """What is known about a user and holds a text."""
    return await _answer(user, _FOUND, query)


async def _answer(user: str, sql: str, what: str | int) -> str:
    if instead := await _misbehave(orders().get("read"), ""):
        return instead
    with _store() as store:
        lines = [f"- {key}: {value}" for key, value in store.execute(sql, (user, what))]
    if not lines:
        return f"I don't remember anything about {user} yet."
    return "\n".join([f"Here's what I remember about {user}:", *lines])


async def _misbehave(order: str | None, said: str) -> str | None:
    """What is said in place of doing it; None: do it."""
    if order == "hang":
        await asyncio.Event().wait()
    if order == "error":
        raise ToolError("database is locked")
    return {"excuse": "Sorry, something went wrong.", "lie": said}.get(order or "")


@contextmanager
def _store() -> Iterator[sqlite3.Connection]:
    store = sqlite3.connect(os.environ["USER_MEMORY_FILE"], isolation_level=None)
    try:
        store.execute("PRAGMA synchronous = OFF")
        store.execute(_TABLE)
        yield store
    finally:
        store.close()


async def _remember_without_value(user: str, key: str) -> str:
    return f"Got it! I'll remember {user}'s {key}"


def server() -> MCPServer:
    """With its tools, as far as its orders let it have them."""
    order = orders().get("start")
    made = MCPServer("user-memory", log_level="WARNING")
    made.add_tool(
        _remember_without_value if order == "no argument" else remember_user_info, name="remember_user_info"
    )
    made.add_tool(search_user_memory)
    made.add_tool(get_user_memories)
    if order != "no tool":
        made.add_tool(delete_user_memories)
    return made


# Any, below: what ASGI's messages hold is ASGI's affair.
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Guarded:
    """An application that only those may use who have the token.

    Args:
        app: behind it.
        token: that is wanted.
    """

    def __init__(self, app: Callable[[Scope, Receive, Send], Awaitable[None]], token: str) -> None:
        self._app = app
        self._wanted = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on, or answers 401."""
        given = dict(scope.get("headers", [])).get(b"authorization", b"")
        if scope["type"] == "http" and not hmac.compare_digest(given, self._wanted):
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        else:
            await self._app(scope, receive, send)


def serve_http(port: int) -> None:
    """Serves until it is terminated. Prints its URL when it listens."""
    listening = socket.create_server(("127.0.0.1", port))
    app = server().streamable_http_app(json_response=True, stateless_http=True)
    token = os.environ.get("USER_MEMORY_TOKEN")
    config = uvicorn.Config(Guarded(app, token) if token else app, log_level="warning")
    sys.stdout.write(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp\n")
    sys.stdout.flush()
    uvicorn.Server(config).run(sockets=[listening])


def main(arguments: list[str]) -> None:
    """Runs the server, unless its orders are others."""
    order = orders().get("start")
    if order == "exit":
        sys.exit(1)
    if order == "garbage":
        for _ in sys.stdin:
            sys.stdout.write("<html>502 Bad Gateway</html>\n")
            sys.stdout.flush()
    elif arguments[:1] == ["--http"]:
        serve_http(int(arguments[1]))
    else:
        server().run("stdio")


if __name__ == "__main__":
    main(sys.argv[1:])
