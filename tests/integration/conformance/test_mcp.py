"""The MCP sink, on the real server-memory, is held to what every sink promises."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from memlane.contracts.address import Address
from memlane.storage.conformance import DamageConformance, SinkConformance
from memlane.storage.mcp import McpSink
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink

_SPOIL: Final = "UPDATE rows SET value = '\"changed\"' WHERE user_id = ? AND namespace = ? AND key = ?"
_SPOIL_HASH: Final = "UPDATE rows SET hash = ? WHERE user_id = ? AND namespace = ? AND key = ?"
_REMOVE: Final = "DELETE FROM rows WHERE user_id = ? AND namespace = ? AND key = ?"


class TestMcpSink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path, server_memories: str) -> AsyncIterator[Sink]:
        """A server of its own on a new file for each test."""
        settings = SinkSettings(mcp_command=server_memories, mcp_dir=tmp_path)
        async with McpSink.from_settings("mcp", settings) as sink:
            yield sink


class TestDamagedMcpSink(DamageConformance):
    """Damage of the ledger is seen, and mended. For that of the server's own file the ledger is there."""

    folder: Path

    @pytest.fixture(autouse=True)
    def remember_folder(self, tmp_path: Path) -> None:
        """Where the files are, for those who damage them."""
        self.folder = tmp_path

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path, server_memories: str) -> AsyncIterator[Sink]:
        """A server of its own on a new file for each test."""
        settings = SinkSettings(mcp_command=server_memories, mcp_dir=tmp_path)
        async with McpSink.from_settings("mcp", settings) as sink:
            yield sink

    async def spoil_digest(self, sink: Sink, bucket: int) -> None:  # noqa: ARG002
        """Adds one row that is not there."""
        self._write("UPDATE buckets SET count = count + 1, sum = sum + 5 WHERE bucket = ?", bucket)

    async def spoil_content(self, sink: Sink, place: Address) -> None:  # noqa: ARG002
        """Changes a value in the ledger."""
        self._write(_SPOIL, *place)

    async def spoil_hash(self, sink: Sink, place: Address, hash_: str) -> None:  # noqa: ARG002
        """Changes the column in the ledger."""
        self._write(_SPOIL_HASH, hash_, *place)

    async def remove_row(self, sink: Sink, place: Address) -> None:  # noqa: ARG002
        """Deletes it from the ledger; the server has the entry all the same."""
        self._write(_REMOVE, *place)

    def _write(self, sql: str, *values: str | int) -> None:
        with closing(sqlite3.connect(self.folder / "ledger.db")) as connection, connection:
            assert connection.execute(sql, values).rowcount == 1
