"""Sinks of several sizes, filled with the same in SQLite and in Redis: for what must not grow with them.

Every user has 100 entries. They were written in turns with everybody else's, so they lie anywhere in a store.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks import isolated
from benchmarks.comparing import check
from benchmarks.events import statements
from benchmarks.venue import Venue
from memlane.contracts.address import Address
from memlane.contracts.canonical import canonical
from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.instants import now
from memlane.contracts.version import make_version
from memlane.storage.redis import RedisSink
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from memlane.testing.servers import PrivateRedis, ServerError

ENTRIES_OF_A_USER: Final = 100
BATCH: Final = 5000
_IN_ONE_PROCESS: Final = 100_000
_SWEEPS: Final = 12
_PATIENCE: Final = timedelta(seconds=60)
"""With Redis: on a busy machine a batch of that size can take some seconds."""

_AGE_MS: Final = 2 * 60 * 60 * 1000
"""Of what is stored: far older than the reconciler's grace period."""


class _Said(NamedTuple):
    """A statement, its content as a command has it."""

    namespace: str
    key: str
    value_json: str
    metadata_json: str


@dataclass(frozen=True, slots=True)
class Filled:
    """A SQLite sink and a Redis sink that hold the same.

    Attributes:
        size: how many entries each holds.
        database: the SQLite sink's file.
        redis_url: the Redis sink's server.
        redis_prefix: what its keys begin with.
        began_ms: the versions begin at this instant, and rise.
    """

    size: int
    database: Path
    redis_url: str
    redis_prefix: str
    began_ms: int

    @property
    def users(self) -> int:
        """How many users have entries."""
        return self.size // ENTRIES_OF_A_USER

    def place(self, number: int) -> Address:
        """The address of the entry with that number: the first one of every user, then the second of each."""
        which, user = divmod(number, self.users)
        said = _said(self._statement(number))
        return Address(f"user-{user}", said.namespace, f"{said.key}-{which}")

    def value_json(self, number: int) -> str:
        """Its value, as canonical JSON."""
        return _said(self._statement(number)).value_json

    def command(self, number: int, later_ms: int = 0) -> StoreCommand:
        """The command that stores it; or one that stores it again, so much later."""
        said, address = _said(self._statement(number)), self.place(number)
        return StoreCommand.model_construct(
            id=make_version(self.began_ms + number // 1000 + later_ms, number),
            user_id=address.user_id,
            namespace=address.namespace,
            key=address.key,
            value_json=said.value_json,
            metadata_json=said.metadata_json,
        )

    def _statement(self, number: int) -> int:
        which, user = divmod(number, self.users)
        return (user * ENTRIES_OF_A_USER + which) % len(statements())

    def sqlite(self) -> SqliteSink:
        """The SQLite sink, not open."""
        return SqliteSink(self.database)

    def redis(self) -> RedisSink:
        """The Redis sink, not open."""
        return RedisSink(self.redis_url, prefix=self.redis_prefix, timeout=_PATIENCE)

    @asynccontextmanager
    async def sinks(self) -> AsyncIterator[tuple[Sink, Sink]]:
        """Both, open."""
        async with self.sqlite() as sqlite, self.redis() as redis:
            yield sqlite, redis


def sizes(venue: Venue) -> tuple[int, ...]:
    """The smallest first."""
    return (10_000, 100_000) if venue.quick else (10_000, 100_000, 1_000_000)


@cache
def filled(venue: Venue) -> tuple[Filled, ...]:
    """The stores, the smallest first; filled once a run."""
    redis_url = _redis(venue)
    began_ms = int(time.time() * 1000) - _AGE_MS
    stores = tuple(
        Filled(size, venue.folder / f"filled-{size}.db", redis_url, f"{venue.redis_prefix}:{size}", began_ms)
        for size in sizes(venue)
    )
    for store in stores:
        for start in range(0, store.size, _IN_ONE_PROCESS):
            isolated.run(fill, store, start, min(start + _IN_ONE_PROCESS, store.size))
        isolated.run(sweep, store)
        isolated.run(check_equal, store)
    return stores


async def sweep(store: Filled) -> None:
    """As often as the sweepers come by in an hour: they merge what the index of words was written as."""
    async with store.sinks() as sinks:
        for _ in range(_SWEEPS):
            for sink in sinks:
                await sink.sweep(now())


async def check_equal(store: Filled) -> None:
    """Checks that both hold all of it.

    Raises:
        BenchmarkFailed: they do not.
    """
    async with store.sinks() as sinks:
        sqlite, redis = [await sink.digests() for sink in sinks]
    check(_count(sqlite) == store.size, f"SQLite holds {_count(sqlite):,} entries of {store.size:,}")
    check(sqlite == redis, "SQLite and Redis do not hold the same")


async def fill(store: Filled, start: int, end: int) -> None:
    """Stores the entries with these numbers in both."""
    async with store.sinks() as sinks:
        for first in range(start, end, BATCH):
            batch = [store.command(number) for number in range(first, min(first + BATCH, end))]
            await asyncio.gather(*(sink.apply(batch, now()) for sink in sinks))


@cache
def _said(statement: int) -> _Said:
    event = statements()[statement]
    return _Said(event.namespace, event.key, canonical(event.value), canonical(event.metadata))


def _redis(venue: Venue) -> str:
    """A server that keeps nothing on disk: some gigabytes are written, and thrown away afterwards."""
    try:
        return venue.exits.enter_context(PrivateRedis(venue.folder / "filled-redis")).url
    except ServerError:
        return venue.redis_url


def _count(digests: Sequence[Digest]) -> int:
    return sum(digest.count for digest in digests)
