"""The SQLite sink: one writer at a time, readers that never wait for it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiosqlite
import structlog

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.settings import SinkSettings
from memlane.storage.sqlite import reading, sweeping, tables, tracing
from memlane.storage.sqlite.apply import apply_batch
from memlane.storage.sqlite.connection import check_path, connect, transaction, translated
from memlane.storage.sqlite.files import DatabaseFiles, file_identity
from memlane.storage.sqlite.functions import has_metadata, weight_of

log: Final = structlog.get_logger("memlane.sink")

PURGE_AT_ONCE: Final = 1000
"""Rows under a new mark that are removed in the transaction that sets it; the sweeper does the rest."""


class SqliteSink:
    """A durable sink in one SQLite file (WAL, `synchronous=FULL`, one sync a batch).

    Where the file is removed or replaced, every method raises `SinkUnavailable` until `health` has opened
    what is there then, or has made it anew. A store that went back by that becomes another one.

    Args:
        path: the database file; made, with its folder, if absent.
        name: the sink's name.
        busy_timeout: how long to wait for another process's write lock.
    """

    durable = True

    def __init__(
        self, path: Path, *, name: str = "sqlite", busy_timeout: timedelta = timedelta(seconds=5)
    ) -> None:
        self.name = name
        self._path = path
        self._busy_timeout = busy_timeout
        self._opening = asyncio.Lock()
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._is_entered = False
        self._connections: tuple[aiosqlite.Connection, ...] | None = None
        self._exits = AsyncExitStack()
        self._files: DatabaseFiles | None = None
        self._seen: StoreIdentity | None = None

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:
        """The sink that the settings describe."""
        return cls(settings.sqlite_path, name=name, busy_timeout=settings.sqlite_busy_timeout)

    async def __aenter__(self) -> Self:
        async with self._opening:
            await self._open()
            self._is_entered = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._opening:
            self._is_entered = False
            await self._close()

    async def health(self) -> StoreIdentity:
        """See `Sink.health`. Writes, and so finds a full disk as well; finds a file that was lost again."""
        await self._find_again()
        async with self._write() as writer:
            await tables.touch(writer)
            found = await tables.identity_since(writer, self._seen)
        self._seen = found
        return found

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`. The batch is one transaction with one sync."""
        async with self._write() as writer:
            outcomes, marked = await apply_batch(writer, commands, to_microseconds(now), repair=repair)
            if marked:
                await sweeping.purge(writer, PURGE_AT_ONCE)
        return outcomes

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        with translated(self._path):
            return await reading.fetch(self._fetcher, addresses, to_microseconds(as_of))

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`. Ranked by bm25."""
        async with self._read() as finder:
            return await reading.find(finder, question, to_microseconds(as_of))

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        async with self._read() as finder:
            return await tables.read_stats(finder, user_id)

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        with translated(self._path):
            return await tables.bucket_digests(self._fetcher)

    async def hashes(self, bucket: int) -> list[str]:
        """See `Sink.hashes`."""
        async with self._read() as finder:
            return await tracing.hashes_of(finder, bucket)

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`."""
        async with self._read() as finder:
            return await tracing.versions(finder, bucket, check=check, hashes=hashes)

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`."""
        async with self._write() as writer:
            report, _ = await sweeping.sweep(writer, to_microseconds(now), limit, recount, floor)
        return report

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[aiosqlite.Connection]:
        """A write transaction, one at a time."""
        async with self._writing:
            writer = self._writer
            with translated(self._path):
                async with transaction(writer, "BEGIN IMMEDIATE"):
                    yield writer

    @asynccontextmanager
    async def _read(self) -> AsyncIterator[aiosqlite.Connection]:
        """A transaction of several reads, one at a time."""
        async with self._reading:
            finder = self._connection(2)
            with translated(self._path):
                async with transaction(finder):
                    yield finder

    @property
    def _writer(self) -> aiosqlite.Connection:
        return self._connection(0)

    @property
    def _fetcher(self) -> aiosqlite.Connection:
        """For single statements, which need no lock."""
        return self._connection(1)

    def _connection(self, index: int) -> aiosqlite.Connection:
        if not self._is_entered:
            raise SinkUnavailable(f"the sink {self.name} is not open", hint="use it in `async with`")
        if self._connections is None or self._is_lost:
            raise SinkUnavailable(
                f"the SQLite file {self._path} was removed or replaced",
                hint="the next health check opens what is there then",
            )
        return self._connections[index]

    @property
    def _is_lost(self) -> bool:
        """Whether the path names no file or another one: what is written now would be lost with it."""
        if self._connections is None or self._files is None:
            return self._is_entered
        return not self._files.are_there

    async def _find_again(self) -> None:
        """Opens what is in the place of a file that was lost; makes one where there is none.

        Raises:
            SinkUnavailable: it can't be opened now.
            SinkMisconfigured: it is no file of memlane's.
        """
        if not self._is_lost:
            return
        async with self._opening, self._writing, self._reading:
            if not self._is_lost:
                return
            await self._let_go()
            await self._open()
            log.warning(
                "the SQLite file was removed or replaced, what is there now was opened", sink=self.name
            )

    async def _let_go(self) -> None:
        """Closes a file that was lost. If it was only moved, it is whole where it is now."""
        connections, self._connections = self._connections, None
        if connections is not None and self._files is not None:
            with suppress(sqlite3.Error, SinkMisconfigured):
                self._seen = await tables.identity(connections[0])
                await connections[0].execute_fetchall("PRAGMA wal_checkpoint(PASSIVE)")
            self._files.remove_leftovers()
        with suppress(sqlite3.Error):
            await self._close()

    async def _open(self) -> None:
        check_path(self._path)
        main = file_identity(self._path)
        async with AsyncExitStack() as exits:
            writer = await connect(self._path, self._busy_timeout)
            exits.push_async_callback(writer.close)
            with translated(self._path):
                await self._prepare(writer)
            readers = [await self._open_reader(exits) for _ in range(2)]
            files = DatabaseFiles(self._path)
            if files.main != main:
                raise SinkUnavailable(f"the SQLite file {self._path} was replaced while it was opened")
            self._exits = exits.pop_all()
        self._connections, self._files = (writer, *readers), files

    async def _close(self) -> None:
        self._connections = self._files = None
        exits, self._exits = self._exits, AsyncExitStack()
        await exits.aclose()

    async def _prepare(self, writer: aiosqlite.Connection) -> None:
        """Makes the tables that are not there."""
        await tables.prepare(writer)
        await writer.create_function("weight_of", 1, weight_of, deterministic=True)
        async with transaction(writer, "BEGIN IMMEDIATE"):
            found = await tables.identity_since(writer, self._seen)
        self._seen = found

    async def _open_reader(self, exits: AsyncExitStack) -> aiosqlite.Connection:
        reader = await connect(self._path, self._busy_timeout, read_only=True)
        exits.push_async_callback(reader.close)
        await reader.create_function("has_metadata", 2, has_metadata, deterministic=True)
        return reader
