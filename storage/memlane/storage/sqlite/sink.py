"""The SQLite sink: one writer at a time, readers that never wait for it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.errors import SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.settings import SinkSettings
from memlane.storage.sqlite import reading, sweeping, tables, tracing
from memlane.storage.sqlite.apply import apply_batch
from memlane.storage.sqlite.connection import check_path, connect, transaction, translated
from memlane.storage.sqlite.functions import has_metadata, weight_of

PURGE_AT_ONCE: Final = 1000
"""Rows under a new mark that are removed in the transaction that sets it; the sweeper does the rest."""


class SqliteSink:
    """A durable sink in one SQLite file (WAL, `synchronous=FULL`, one sync a batch).

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
        self._writing = asyncio.Lock()
        self._reading = asyncio.Lock()
        self._connections: tuple[aiosqlite.Connection, ...] | None = None
        self._exits = AsyncExitStack()
        self._file: tuple[int, int] | None = None

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:
        """The sink that the settings describe."""
        return cls(settings.sqlite_path, name=name, busy_timeout=settings.sqlite_busy_timeout)

    async def __aenter__(self) -> Self:
        check_path(self._path)
        async with AsyncExitStack() as exits:
            writer = await connect(self._path, self._busy_timeout)
            exits.push_async_callback(writer.close)
            with translated(self._path):
                await tables.prepare(writer)
                await writer.create_function("weight_of", 1, weight_of, deterministic=True)
            readers = [await self._open_reader(exits) for _ in range(2)]
            self._exits = exits.pop_all()
        self._connections = (writer, *readers)
        self._file = _identity(self._path)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connections = None
        await self._exits.aclose()

    async def health(self) -> StoreIdentity:
        """See `Sink.health`. Writes, and so finds a full disk as well."""
        async with self._write() as writer:
            await tables.touch(writer)
            return await tables.identity(writer)

    async def apply(self, commands: Sequence[AnyCommand], now: datetime) -> list[Outcome]:
        """See `Sink.apply`. The batch is one transaction with one sync."""
        async with self._write() as writer:
            outcomes, marked = await apply_batch(writer, commands, to_microseconds(now))
            if marked:
                await sweeping.purge(writer, PURGE_AT_ONCE)
        return outcomes

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        with translated(self._path):
            return await reading.fetch(self._fetcher, addresses, to_microseconds(as_of))

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`. Ranked by bm25."""
        async with self._reading:
            with translated(self._path):
                async with transaction(self._finder):
                    return await reading.find(self._finder, question, to_microseconds(as_of))

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        async with self._reading:
            with translated(self._path):
                async with transaction(self._finder):
                    return await tables.read_stats(self._finder, user_id)

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        with translated(self._path):
            return await tables.bucket_digests(self._fetcher)

    async def versions(self, bucket: int) -> list[Trace]:
        """See `Sink.versions`."""
        async with self._reading:
            with translated(self._path):
                async with transaction(self._finder):
                    return await tracing.versions(self._finder, bucket)

    async def sweep(self, now: datetime, *, limit: int = 1000, recount: int | None = None) -> SweepReport:
        """See `Sink.sweep`."""
        async with self._write() as writer:
            report, _ = await sweeping.sweep(writer, to_microseconds(now), limit, recount)
        return report

    @asynccontextmanager
    async def _write(self) -> AsyncIterator[aiosqlite.Connection]:
        """A write transaction, one at a time."""
        self._check_file()
        async with self._writing:
            with translated(self._path):
                async with transaction(self._writer, "BEGIN IMMEDIATE"):
                    yield self._writer

    @property
    def _writer(self) -> aiosqlite.Connection:
        return self._connection(0)

    @property
    def _fetcher(self) -> aiosqlite.Connection:
        """For single statements, which need no lock."""
        return self._connection(1)

    @property
    def _finder(self) -> aiosqlite.Connection:
        """For transactions of several reads."""
        return self._connection(2)

    def _connection(self, index: int) -> aiosqlite.Connection:
        if self._connections is None:
            raise SinkUnavailable(f"the sink {self.name} is not open", hint="use it in `async with`")
        return self._connections[index]

    def _check_file(self) -> None:
        """Raises if the path names no file or another one: what is written now would be lost with it."""
        if _identity(self._path) != self._file:
            raise SinkUnavailable(
                f"the SQLite file {self._path} was removed or replaced", hint="restart this worker"
            )

    async def _open_reader(self, exits: AsyncExitStack) -> aiosqlite.Connection:
        reader = await connect(self._path, self._busy_timeout, read_only=True)
        exits.push_async_callback(reader.close)
        await reader.create_function("has_metadata", 2, has_metadata, deterministic=True)
        return reader


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
