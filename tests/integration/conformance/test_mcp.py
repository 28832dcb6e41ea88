"""The MCP sink, on the real server-memory, is held to what every sink promises."""

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

from memlane.contracts.address import Address
from memlane.storage.conformance import DamageConformance, SinkConformance
from memlane.storage.mcp import McpSink
from memlane.storage.mcp.naming import name_of
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink


class TestMcpSink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path, server_memory: str) -> AsyncIterator[Sink]:
        """A new server on a new file for each test."""
        settings = SinkSettings(mcp_command=server_memory, mcp_dir=tmp_path)
        async with McpSink.from_settings("mcp", settings) as sink:
            yield sink


class TestDamagedMcpSink(DamageConformance):
    """Damage is seen, and mended: that of the ledger, and that of the server's own file."""

    folder: Path

    @pytest.fixture(autouse=True)
    def remember_folder(self, tmp_path: Path) -> None:
        """Where the files are, for those who damage them."""
        self.folder = tmp_path

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path, server_memory: str) -> AsyncIterator[Sink]:
        """A new server on a new file for each test."""
        settings = SinkSettings(mcp_command=server_memory, mcp_dir=tmp_path)
        async with McpSink.from_settings("mcp", settings) as sink:
            yield sink

    async def spoil_digest(self, sink: Sink, bucket: int) -> None:  # noqa: ARG002
        """Adds one row that is not there."""
        sql = "UPDATE buckets SET count = count + 1, sum = sum + 5 WHERE bucket = ?"
        with closing(sqlite3.connect(self.folder / "ledger.db")) as connection, connection:
            assert connection.execute(sql, (bucket,)).rowcount == 1

    async def spoil_content(self, sink: Sink, place: Address) -> None:  # noqa: ARG002
        """Changes what the server holds, as an agent may."""
        file = self.folder / "memory-000.jsonl"
        entities = [json.loads(line) for line in file.read_text().splitlines()]
        for entity in entities:
            if entity["name"] == name_of(place):
                entity["observations"] = [entity["observations"][0].replace('"value":', '"value":4')]
        file.write_text("\n".join(map(json.dumps, entities)))
