"""Finding and deleting entries that nobody has updated for long."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from memlane.contracts.address import Address
from memlane.contracts.command import DeleteAddress
from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.instants import to_microseconds
from memlane.contracts.version import successor, version_instant, version_milliseconds
from memlane.producers.importers.versions import UNKNOWN_AGE
from memlane.storage.rows import Kind, Trace
from memlane.workers.backup.selection import Selection
from memlane.workers.backup.source import Source

OnProgress = Callable[[int, int], None]
"""Told how many buckets were looked at, of how many."""


@dataclass(slots=True)
class OldEntries:
    """Entries, by address, with the version that each has.

    Attributes:
        versions: of each.
        undated: how many of them are of unknown age.
    """

    versions: dict[Address, str] = field(default_factory=dict)
    undated: int = 0

    def deletes(self) -> Iterator[DeleteAddress]:
        """Deletes right behind those versions: whatever was written since is newer, and stays."""
        for (user_id, namespace, key), version in self.versions.items():
            yield DeleteAddress(id=successor(version), user_id=user_id, namespace=namespace, key=key)


async def old_entries(
    source: Source,
    selection: Selection,
    before: datetime,
    on_progress: OnProgress = lambda _done, _all: None,
) -> OldEntries:
    """The entries of a part whose version is from before an instant.

    Raises:
        SinkUnavailable: the sink does not answer.
    """
    found = OldEntries()
    limit_ms = to_microseconds(before) // 1000
    bucket = 0
    async for traces in source.reader.traces(source.sink):
        for trace in traces:
            place = trace.place
            if isinstance(place, Address) and _is_old(trace, limit_ms) and selection.takes(*place[:2]):
                found.versions[place] = trace.version
                found.undated += version_instant(trace.version) == UNKNOWN_AGE
        bucket += 1
        on_progress(bucket, BUCKETS)
    return found


def _is_old(trace: Trace, limit_ms: int) -> bool:
    return trace.kind is Kind.LIVE and version_milliseconds(trace.version) < limit_ms
