"""The SQLite sink is held to what every sink promises."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from memlane.contracts.address import Address
from memlane.storage.conformance import DamageConformance, SinkConformance
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink

_SPOIL: Final = "UPDATE rows SET value = '\"changed\"' WHERE user_id = ? AND namespace = ? AND key = ?"
_SPOIL_HASH: Final = "UPDATE rows SET hash = ? WHERE user_id = ? AND namespace = ? AND key = ?"
_REMOVE: Final = "DELETE FROM rows WHERE user_id = ? AND namespace = ? AND key = ?"


class TestSqliteSink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path) -> AsyncIterator[Sink]:
        """A new file for each test."""
        async with SqliteSink(tmp_path / "memory.db") as sink:
            yield sink


class TestDamagedSqliteSink(DamageConformance):
    """Damage is seen, and mended."""

    path: Path

    @pytest.fixture(autouse=True)
    def remember_path(self, tmp_path: Path) -> None:
        """Where the file is, for those who damage it."""
        self.path = tmp_path / "memory.db"

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path) -> AsyncIterator[Sink]:
        """A new file for each test."""
        async with SqliteSink(tmp_path / "memory.db") as sink:
            yield sink

    async def spoil_digest(self, sink: Sink, bucket: int) -> None:
        """Adds one row that is not there."""
        assert isinstance(sink, SqliteSink)
        self._write("UPDATE buckets SET count = count + 1, sum = sum + 5 WHERE bucket = ?", bucket)

    async def spoil_content(self, sink: Sink, place: Address) -> None:
        """Changes a value."""
        assert isinstance(sink, SqliteSink)
        self._write(_SPOIL, *place)

    async def spoil_hash(self, sink: Sink, place: Address, hash_: str) -> None:
        """Changes the column."""
        assert isinstance(sink, SqliteSink)
        self._write(_SPOIL_HASH, hash_, *place)

    async def remove_row(self, sink: Sink, place: Address) -> None:
        """Deletes it."""
        assert isinstance(sink, SqliteSink)
        self._write(_REMOVE, *place)

    def _write(self, sql: str, *values: str | int) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            assert connection.execute(sql, values).rowcount == 1
