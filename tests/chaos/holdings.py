"""What each sink holds, address by address, read from the sink itself."""

import json
from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import Digest, command_hash, digest_of, entry_hash
from memlane.contracts.instants import now, to_microseconds
from memlane.contracts.reply import Fetched
from memlane.storage.mcp.record import newest_record
from memlane.storage.rows import Kind, Scope
from memlane.storage.sink import Sink
from tests.chaos.journal import Place

_AT_ONCE: Final = 500
_SWEPT_US: Final = 20_000_000


class Content(NamedTuple):
    """What is visible at an address: the version and hash of the store that it comes from."""

    version: str
    hash: str


class Row(NamedTuple):
    """A version row."""

    version: str
    hash: str
    kind: Kind


@dataclass(slots=True)
class Holding:
    """What one sink holds.

    Attributes:
        name: of the sink, or of that part of it.
        live: what a get answers.
        rows: the version rows; None for a server that keeps none.
        marks: the scope marks, likewise.
        damaged: rows whose content is not what their hash says.
        digest: as the sink keeps it.
        kept: rows and marks, as the sink counts them by kind.
        as_of_us: the instant that it was asked about, in microseconds since 1970.
        swept_us: what had expired before that is surely no longer visible.
    """

    name: str
    as_of_us: int
    swept_us: int
    live: dict[Address, Content] = field(default_factory=dict)
    rows: dict[Address, Row] | None = None
    marks: dict[Scope, Content] | None = None
    damaged: list[Place] = field(default_factory=list)
    digest: Digest | None = None
    kept: int | None = None

    def counted(self) -> Digest:
        """The digest of the rows and marks that were read."""
        rows = [row.hash for row in (self.rows or {}).values()]
        return digest_of([*rows, *(mark.hash for mark in (self.marks or {}).values())])


async def holding_of(sink: Sink, addresses: Collection[Address], as_of: datetime) -> Holding:
    """Reads every row and mark of a sink, and asks for each address that it or anybody named."""
    rows: dict[Address, Row] = {}
    marks: dict[Scope, Content] = {}
    damaged: list[Place] = []
    # A row in a bucket whose digest says that it is empty would be missed here, but not by the kinds' counts.
    buckets = [number for number, digest in enumerate(await sink.digests()) if digest != Digest()]
    for bucket in buckets:
        for trace in await sink.versions(bucket):
            if isinstance(trace.place, Address) and trace.kind is not None:
                rows[trace.place] = Row(trace.version, trace.hash, trace.kind)
            elif isinstance(trace.place, Scope):
                marks[trace.place] = Content(trace.version, trace.hash)
            if not trace.intact:
                damaged.append(trace.place)
    asked = sorted({*addresses, *rows})
    live = {
        found.entry.address: Content(found.entry.version, entry_hash(found.entry))
        async for found in _fetched(sink, asked, as_of)
        if found.entry is not None
    }
    as_of_us = to_microseconds(as_of)
    stats = await sink.stats(None)
    return Holding(
        sink.name,
        as_of_us,
        as_of_us,
        live=live,
        rows=rows,
        marks=marks,
        damaged=damaged,
        digest=Digest(stats.digest.count, stats.digest.sum),
        kept=stats.live + stats.deleted + stats.expired + stats.refused + stats.marks,
    )


def holding_of_files(folder: Path) -> Holding:
    """What is in server-memory's own files."""
    read_us = to_microseconds(now())
    # The server itself knows nothing of expiry: what has expired is there until it is swept.
    holding = Holding("mcp's files", read_us, read_us - _SWEPT_US)
    for file in sorted(folder.glob("memory-*.jsonl")):
        for line in file.read_text(encoding="utf-8").splitlines():
            command = newest_record(json.loads(line)["observations"])
            if command is None:
                holding.damaged.append(Address("?", "?", line[:100]))
            else:
                holding.live[command.address] = Content(command.id, command_hash(command))
    return holding


async def _fetched(sink: Sink, addresses: Iterable[Address], as_of: datetime) -> AsyncIterator[Fetched]:
    left = iter(addresses)
    while chunk := list(islice(left, _AT_ONCE)):
        for found in await sink.fetch(chunk, as_of):
            yield found
