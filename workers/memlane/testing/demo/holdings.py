"""What each sink holds, read from the sink itself: no queue, no responder, no aggregator in between."""

import json
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry
from memlane.contracts.instants import now
from memlane.contracts.reply import SinkStats
from memlane.storage.mcp.record import newest_record
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink
from memlane.testing.demo.source import Expected
from memlane.testing.demo.system import MCP, SINKS, Place
from memlane.workers.sinks import make_sink

_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one sink holds, held against what it must hold.

    Attributes:
        sink: its name.
        stats: what it says of itself.
        right: addresses that hold their last value.
        wrong: addresses that do not.
        returned: addresses that were deleted, and hold something all the same.
    """

    sink: str
    stats: SinkStats
    right: int
    wrong: list[Address]
    returned: list[Address]

    @property
    def digest(self) -> str:
        """Count and sum of all version rows and marks."""
        return f"{self.stats.digest.count}:{self.stats.digest.sum:x}"


@asynccontextmanager
async def opened_sinks(place: Place) -> AsyncIterator[list[Sink]]:
    """The same two stores that `memlane up` works on."""
    settings = SinkSettings(
        sqlite_path=place.sqlite_path, redis_url=place.servers.redis_url, redis_prefix=place.redis_prefix
    )
    async with AsyncExitStack() as exits:
        yield [await exits.enter_async_context(make_sink(name, settings)) for name in SINKS]


async def holding_of(sink: Sink, expected: Expected) -> Holding:
    """Reads every address that must be there, and every one that must not."""
    wrong = [
        address
        async for address, entry in _fetched(sink, expected.values)
        if entry is None or entry.value != expected.values[address]
    ]
    returned = [address async for address, entry in _fetched(sink, expected.gone) if entry is not None]
    return Holding(
        sink=sink.name,
        stats=await sink.stats(None),
        right=len(expected.values) - len(wrong),
        wrong=wrong,
        returned=returned,
    )


def holding_of_mcp(folder: Path, stats: SinkStats, expected: Expected) -> Holding:
    """Reads the MCP server's own files: its process belongs to `memlane up`, and is not asked."""
    lines = [line for file in sorted(folder.glob("memory-*.jsonl")) for line in file.read_text().splitlines()]
    kept = [newest_record(json.loads(line)["observations"]) for line in lines]
    values = {command.address: command.value for command in kept if command is not None}
    wrong = [address for address, value in expected.values.items() if values.get(address) != value]
    return Holding(
        sink=MCP,
        stats=stats,
        right=len(expected.values) - len(wrong),
        wrong=wrong,
        returned=[address for address in expected.gone if address in values],
    )


async def _fetched(sink: Sink, addresses: Iterable[Address]) -> AsyncIterator[tuple[Address, Entry | None]]:
    left = iter(addresses)
    while chunk := list(islice(left, _AT_ONCE)):
        for address, found in zip(chunk, await sink.fetch(chunk, now()), strict=True):
            yield address, found.entry
