"""The sink of one's own is held to what every sink promises."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from docs.examples.journal_sink import JournalSink
from memlane.storage.conformance import SinkConformance
from memlane.storage.sink import Sink


class TestJournalSink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self, tmp_path: Path) -> AsyncIterator[Sink]:
        """A new file for each test."""
        async with JournalSink(tmp_path / "journal") as sink:
            yield sink
