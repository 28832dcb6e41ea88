"""The in-memory sink is held to what every sink promises."""

from collections.abc import AsyncIterator

import pytest_asyncio

from memlane.contracts.address import Address
from memlane.storage.conformance import DamageConformance, RefusalConformance, SinkConformance
from memlane.storage.conformance.digests import Digests, Stats
from memlane.storage.conformance.expiry import Expiry
from memlane.storage.conformance.fetching import Fetching
from memlane.storage.conformance.listing import Listing
from memlane.storage.conformance.marks import NamespaceDeletes
from memlane.storage.conformance.stores import Stores
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sink import Sink


class TestMemorySink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self) -> AsyncIterator[Sink]:
        """A new one for each test."""
        async with MemorySink() as sink:
            yield sink


class TestFailingSinkThatDoesNotFail(Stores, NamespaceDeletes, Expiry, Fetching, Listing, Digests, Stats):
    """In front of another sink, it changes nothing until it is told to."""

    @pytest_asyncio.fixture
    async def sink(self) -> AsyncIterator[Sink]:
        """A new one for each test."""
        async with FailingSink(MemorySink()) as sink:
            yield sink


class TestMemorySinkWithALimit(RefusalConformance):
    """What it can never take, it refuses."""

    too_much = "x" * 100

    @pytest_asyncio.fixture
    async def sink(self) -> AsyncIterator[Sink]:
        """It takes values of up to 50 bytes."""
        async with MemorySink(max_value_bytes=50) as sink:
            yield sink


class TestDamagedMemorySink(DamageConformance):
    """Damage is seen, and mended."""

    @pytest_asyncio.fixture
    async def sink(self) -> AsyncIterator[MemorySink]:
        """A new one for each test."""
        async with MemorySink() as sink:
            yield sink

    async def spoil_digest(self, sink: Sink, bucket: int) -> None:
        """Adds one row that is not there."""
        assert isinstance(sink, MemorySink)
        sink.state.tally.buckets[bucket][0] += 1

    async def spoil_content(self, sink: Sink, place: Address) -> None:
        """Changes a value."""
        assert isinstance(sink, MemorySink)
        row = sink.state.row(place)
        assert row is not None
        assert row.command is not None
        row.command = row.command.model_copy(update={"value_json": '"changed"'})

    async def spoil_hash(self, sink: Sink, place: Address, hash_: str) -> None:
        """Changes the row's head."""
        assert isinstance(sink, MemorySink)
        row = sink.state.row(place)
        assert row is not None
        row.head = row.head._replace(hash=hash_)

    async def remove_row(self, sink: Sink, place: Address) -> None:
        """Takes it out of its dict."""
        assert isinstance(sink, MemorySink)
        del sink.state.rows[place.user_id][place]
