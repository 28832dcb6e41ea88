"""The Redis sink: every batch is one script, so all of it or nothing."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import Digest
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.storage.errors import SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.redis import finding, reading, sweeping, tracing
from memlane.storage.redis.client import Client
from memlane.storage.redis.failures import translated_at_start
from memlane.storage.redis.planning import plan_batch, read_outcomes
from memlane.storage.redis.preparing import SCHEMA, check_policy, new_incarnation, prepare
from memlane.storage.redis.rows import sortable
from memlane.storage.redis.scripts import APPLY
from memlane.storage.rows import Trace
from memlane.storage.settings import SinkSettings

_PURGE_AT_ONCE = 1000
"""Rows under a new mark that are looked at in the script that sets it; the sweeper does the rest."""


class RedisSink:
    """A sink in one Redis (6.2 or newer), which must not evict. A cache: what it holds may be lost.

    Args:
        url: of the server and its database, such as `redis://user:password@host:6379/0`.
        name: the sink's name.
        prefix: what all of its keys begin with; several sinks may share a database under different ones.
        timeout: how long to wait for an answer.
    """

    durable = False

    def __init__(
        self,
        url: str,
        *,
        name: str = "redis",
        prefix: str = "memlane",
        timeout: timedelta = timedelta(seconds=5),
    ) -> None:
        self.name = name
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._open_client: Client | None = None

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:
        """The sink that the settings describe."""
        return cls(
            settings.redis_url, name=name, prefix=settings.redis_prefix, timeout=settings.redis_timeout
        )

    async def __aenter__(self) -> Self:
        client = Client(self._url, self._prefix, self._timeout)
        try:
            with translated_at_start(client.where):
                await check_policy(client)
                await prepare(client)
                await reading.fetch(client, [], "")  # so that a missing right to run scripts shows now
        except BaseException:
            await client.close()
            raise
        self._open_client = client
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        client, self._open_client = self._open_client, None
        if client is not None:
            await client.close()

    async def health(self) -> StoreIdentity:
        """See `Sink.health`. A write that changes nothing; it also finds out that the store was flushed."""
        client = self._client
        with client.translated():
            if await client.set_meta_once("incarnation", new_incarnation()):
                await prepare(client)
            incarnation, changes, floor = await client.metas("incarnation", "changes", "floor")
        return StoreIdentity(incarnation or "", int(changes or 0), floor)

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`. One script checks everything before its first write."""
        if not commands:
            return []
        client = self._client
        plan = plan_batch(commands, to_microseconds(now), repair=repair)
        with client.translated():
            reply = await client.run(
                APPLY, SCHEMA, new_incarnation(), _PURGE_AT_ONCE, plan.text, *plan.contents
            )
        return read_outcomes(len(commands), reply)

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        if not addresses:
            return []
        client = self._client
        with client.translated():
            return await reading.fetch(client, addresses, sortable(as_of))

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`. Ranked by rarity of the words, and whether they name the entry."""
        client = self._client
        with client.translated():
            return await finding.find(client, question, sortable(as_of))

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`. In all, `bytes` is what the whole server takes."""
        client = self._client
        with client.translated():
            found = await reading.read_stats(client, user_id)
            if not found.incarnation:  # flushed, and nothing has come since
                await prepare(client)
                found = await reading.read_stats(client, user_id)
        return found

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        client = self._client
        with client.translated():
            return await reading.bucket_digests(client)

    async def hashes(self, bucket: int) -> list[str]:
        """See `Sink.hashes`. Each is as it is when its step reads it."""
        client = self._client
        with client.translated():
            return await tracing.bucket_hashes(client, bucket)

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`. Each is as it is when its step reads it."""
        client = self._client
        with client.translated():
            if check:
                traces = [look.trace for look in await tracing.look_at_bucket(client, bucket)]
                return [trace for trace in traces if hashes is None or trace.hash in hashes]
            return await tracing.bucket_traces(client, bucket, hashes)

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`. Each part is a script of its own."""
        client = self._client
        with client.translated():
            return await sweeping.sweep(client, now, limit, recount, floor)

    @property
    def _client(self) -> Client:
        if self._open_client is None:
            raise SinkUnavailable(f"the sink {self.name} is not open", hint="use it in `async with`")
        return self._open_client
