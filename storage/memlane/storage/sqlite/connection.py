"""Connections to the database file, and what SQLite's errors mean for a lane."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import aiosqlite

from memlane.storage.errors import SinkBusy, SinkMisconfigured, SinkUnavailable

MIN_VERSION: Final = (3, 35, 0)
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_DOWN: Final = {
    sqlite3.SQLITE_FULL: "free some space on its disk",
    sqlite3.SQLITE_IOERR: "check its disk",
    sqlite3.SQLITE_CANTOPEN: "check that the folder exists and may be written",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable",
    sqlite3.SQLITE_PERM: "make the file and its folder readable and writable",
    sqlite3.SQLITE_CORRUPT: "restore it from a backup, or remove it and store anew",
}


async def connect(path: Path, busy_timeout: timedelta, *, read_only: bool = False) -> aiosqlite.Connection:
    """A connection in autocommit mode: transactions are begun outright.

    Raises:
        SinkMisconfigured: the file can't be opened or made.
    """
    mode = "ro" if read_only else "rwc"
    with translated(path):
        connection = await aiosqlite.connect(
            f"{_uri(path)}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=busy_timeout.total_seconds(),
        )
        try:
            await connection.execute("PRAGMA synchronous = FULL")
            await connection.execute("PRAGMA cache_size = -65536")
            await connection.execute("PRAGMA temp_store = MEMORY")
        except BaseException:
            # Its thread would keep the process from ending.
            await connection.close()
            raise
    return connection


def _uri(path: Path) -> str:
    return path.resolve().as_uri()


def check_path(path: Path) -> None:
    """Makes the folder.

    Raises:
        SinkMisconfigured: the file can't be there.
    """
    if sqlite3.sqlite_version_info < MIN_VERSION:
        raise SinkMisconfigured(f"SQLite {sqlite3.sqlite_version} is too old", hint="3.35 or newer is needed")
    hint = "set MEMLANE_SQLITE_PATH to a file in a folder that may be written"
    if path.is_dir():
        raise SinkMisconfigured(f"the SQLite path {path} is a folder", hint=hint)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            pass
    except OSError as error:
        raise SinkMisconfigured(f"can't write the SQLite file {path}: {error.strerror}", hint=hint) from error


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into the sink's.

    Raises:
        SinkBusy: somebody else held the write lock for longer than the busy timeout.
        SinkUnavailable: the file or its disk is in trouble.
    """
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", None)
        primary = code & 0xFF if isinstance(code, int) else None
        if primary in _BUSY:
            raise SinkBusy(f"SQLite file {path}: {error}", hint="another process holds its lock") from error
        if primary == sqlite3.SQLITE_NOTADB:
            hint = "name another in MEMLANE_SQLITE_PATH"
            raise SinkMisconfigured(f"{path} is not a SQLite database", hint=hint) from error
        if primary in _DOWN:
            raise SinkUnavailable(f"SQLite file {path}: {error}", hint=_DOWN[primary]) from error
        raise


@asynccontextmanager
async def transaction(connection: aiosqlite.Connection, begin: str = "BEGIN") -> AsyncIterator[None]:
    """All or nothing, also when the task is cancelled in the middle.

    What was sent to the connection's thread can't be called back, and is done in the order in which it was
    sent: so a rollback sent after a cancelled BEGIN undoes it.
    """
    try:
        await connection.execute(begin)
        yield
    except BaseException:
        await asyncio.shield(connection.rollback())
        raise
    await asyncio.shield(connection.commit())
