"""The in-memory sink."""

from collections.abc import Collection, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.fingerprint import BUCKETS, Digest
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.errors import SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.memory import reading, sweeping
from memlane.storage.memory.state import MemoryState
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.settings import SinkSettings


class MemorySink:
    """A sink over dicts: the test double. What it holds outlives leaving it, not the process.

    Args:
        name: the sink's name.
        max_value_bytes: a store whose value's JSON text is larger (in UTF-8) is refused; None: none is.
    """

    durable = False

    def __init__(self, *, name: str = "memory", max_value_bytes: int | None = None) -> None:
        self.name = name
        self.state = MemoryState()
        self._max_value_bytes = max_value_bytes
        self._open = False

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:  # noqa: ARG003
        """It has no settings."""
        return cls(name=name)

    async def __aenter__(self) -> Self:
        self._open = True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False

    def wipe(self) -> None:
        """Loses everything, as a cache that restarts empty does: a new incarnation."""
        self.state = MemoryState()

    async def health(self) -> StoreIdentity:
        """See `Sink.health`."""
        self._check_open()
        return StoreIdentity(self.state.incarnation, self.state.changes, self.state.floor)

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`."""
        self._check_open()
        return self.state.apply(commands, to_microseconds(now), self._refuse, repair=repair)

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        self._check_open()
        return [reading.fetch_one(self.state, address, to_microseconds(as_of)) for address in addresses]

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`. Ranked by BM25 over the user's own entries."""
        self._check_open()
        return reading.find(self.state, question, to_microseconds(as_of))

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        self._check_open()
        return reading.stats(self.state, user_id, durable=self.durable)

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        self._check_open()
        found = [Digest()] * BUCKETS
        for bucket, count, total in self.state.tally.bucket_deltas():
            found[bucket] = Digest(count, total)
        return found

    async def hashes(self, bucket: int) -> list[str]:
        """See `Sink.hashes`."""
        return [trace.hash for trace in await self.versions(bucket, check=False)]

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`."""
        self._check_open()
        found = sweeping.versions(self.state, bucket, check=check)
        return [trace for trace in found if hashes is None or trace.hash in hashes]

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`."""
        self._check_open()
        return sweeping.sweep(self.state, to_microseconds(now), limit, recount, floor)

    def _check_open(self) -> None:
        if not self._open:
            raise SinkUnavailable(f"the sink {self.name} is not open", hint="use it in `async with`")

    def _refuse(self, command: StoreCommand) -> str | None:
        size, most = len(command.value_json.encode()), self._max_value_bytes
        if most is None or size <= most:
            return None
        return f"the value takes {size:,} bytes, this sink keeps at most {most:,}"
