"""A sink that fails when it is told to, in front of one that works: for tests of what is around it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Literal, Self

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.errors import SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.sink import Sink

Method = Literal[
    "enter", "health", "apply", "fetch", "find", "stats", "digests", "hashes", "versions", "sweep"
]
"""What can be made to fail; `enter` is connecting."""


@dataclass(slots=True)
class _Failure:
    methods: frozenset[str]
    error: Exception
    times: int | None
    after: bool


class FailingSink:
    """Hands every call on to a sink, except where it was told to fail, to be slow or to hang.

    Attributes:
        calls: how often each method was called, failures included.
        batches: the versions of each batch that `apply` was called with, in order.
    """

    def __init__(self, sink: Sink) -> None:
        self.calls: Counter[str] = Counter()
        self.batches: list[list[str]] = []
        self._sink = sink
        self._failures: list[_Failure] = []
        self._poisons: dict[str, Exception] = {}
        self._delays: list[tuple[frozenset[str], timedelta]] = []
        self._going = asyncio.Event()
        self._going.set()

    def fail(self, *methods: Method, error: Exception, times: int | None = None, after: bool = False) -> None:
        """Raises an error out of these methods (none named: all).

        Args:
            methods: which.
            error: what they raise.
            times: how many calls fail; None: all, until `heal`.
            after: fail only after the call was carried out: the answer is lost, not the work.
        """
        self._failures.append(_Failure(frozenset(methods), error, times, after))

    def go_down(self, reason: str = "the backend is down") -> None:
        """Everything raises `SinkUnavailable`, until `heal`."""
        self.fail(error=SinkUnavailable(f"{self.name}: {reason}"))

    def poison(self, version: str, error: Exception | None = None) -> None:
        """A batch with this command raises, and nothing of it is applied."""
        self._poisons[version] = error or ValueError(f"can't take the command {version}")

    def slow(self, delay: timedelta, *methods: Method) -> None:
        """These methods (none named: all) take so much longer, until `heal`."""
        self._delays.append((frozenset(methods), delay))

    def hang(self) -> None:
        """Nothing returns before `heal`."""
        self._going.clear()

    def heal(self) -> None:
        """Works again: no failure, no delay. What hung goes on. Poisoned commands stay poisoned."""
        self._failures.clear()
        self._delays.clear()
        self._going.set()

    def cure(self, version: str) -> None:
        """The command is poisoned no longer."""
        self._poisons.pop(version, None)

    @property
    def name(self) -> str:
        """See `Sink.name`."""
        return self._sink.name

    @property
    def durable(self) -> bool:
        """See `Sink.durable`."""
        return self._sink.durable

    async def __aenter__(self) -> Self:
        async with self._failing("enter"):
            await self._sink.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._sink.__aexit__(kind, error, trace)

    async def health(self) -> StoreIdentity:
        """See `Sink.health`."""
        async with self._failing("health"):
            return await self._sink.health()

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`."""
        self.batches.append([command.id for command in commands])
        async with self._failing("apply"):
            for command in commands:
                if (error := self._poisons.get(command.id)) is not None:
                    raise error
            return await self._sink.apply(commands, now, repair=repair)

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        async with self._failing("fetch"):
            return await self._sink.fetch(addresses, as_of)

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`."""
        async with self._failing("find"):
            return await self._sink.find(question, as_of)

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        async with self._failing("stats"):
            return await self._sink.stats(user_id)

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        async with self._failing("digests"):
            return await self._sink.digests()

    async def hashes(self, bucket: int) -> list[str]:
        """See `Sink.hashes`."""
        async with self._failing("hashes"):
            return await self._sink.hashes(bucket)

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`."""
        async with self._failing("versions"):
            return await self._sink.versions(bucket, check=check, hashes=hashes)

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`."""
        async with self._failing("sweep"):
            return await self._sink.sweep(now, limit=limit, recount=recount, floor=floor)

    @asynccontextmanager
    async def _failing(self, method: Method) -> AsyncIterator[None]:
        self.calls[method] += 1
        for methods, delay in self._delays:
            if not methods or method in methods:
                await asyncio.sleep(delay.total_seconds())
        await self._going.wait()
        self._raise(method, after=False)
        yield
        self._raise(method, after=True)

    def _raise(self, method: Method, *, after: bool) -> None:
        for failure in self._failures:
            meant = (not failure.methods or method in failure.methods) and failure.after == after
            if meant and failure.times != 0:
                if failure.times is not None:
                    failure.times -= 1
                raise failure.error
