"""The MCP sink: a server that agents use, and a ledger beside it that knows what the server does not.

The ledger is a whole SQLite sink: versions, marks, digests, search. What it decides is brought to the server
before it is committed: so the server holds what the ledger says, and what is on its way is noted.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiosqlite
import structlog

from memlane.contracts.address import Address
from memlane.contracts.command import AddressCommand, AnyCommand, StoreCommand, store_of
from memlane.contracts.instants import to_microseconds
from memlane.contracts.reply import Fetched, SinkStats
from memlane.storage.errors import SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.mcp import in_flight
from memlane.storage.mcp.chunks import MAX_CALL_ENTRIES
from memlane.storage.mcp.errors import BatchBroke, SessionLost, ToolFailed
from memlane.storage.mcp.lock_file import LockFile
from memlane.storage.mcp.profile import Abilities, Profile, make_profile
from memlane.storage.mcp.record import same
from memlane.storage.mcp.servers import MAX_OPEN, Servers
from memlane.storage.mcp.transport import MakeClient, make_client_from
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Kind, Trace
from memlane.storage.settings import SinkSettings
from memlane.storage.sqlite import sweeping, tables
from memlane.storage.sqlite.apply import apply_batch
from memlane.storage.sqlite.connection import translated
from memlane.storage.sqlite.sink import PURGE_AT_ONCE, SqliteSink

log: Final = structlog.get_logger("memlane.sink")

_SAMPLE: Final = 5
"""Entries of a shard that tell whether its server still has what was brought to it."""


class McpSink(SqliteSink):
    """Keeps entries in an MCP server.

    One process owns a store. Calls are made one after the other. Single entries are read from the server,
    lists and searches are answered by the ledger (see `Profile.abilities`).

    Args:
        folder: of the ledger, the lock file, the servers' stores and logs; made if absent.
        profile: how the server is spoken to.
        make_client: how it is started or reached.
        name: the sink's name.
        timeout: for each call.
        start_timeout: for the start of the server.
    """

    durable = False
    """When a server's own writes are on its disk, nobody knows."""

    def __init__(
        self,
        folder: Path,
        profile: Profile,
        make_client: MakeClient,
        *,
        name: str = "mcp",
        timeout: timedelta = timedelta(seconds=10),
        start_timeout: timedelta = timedelta(seconds=60),
    ) -> None:
        super().__init__(folder / "ledger.db", name=name)
        self._lock = LockFile(folder / "lock")
        self._profile = profile
        self._servers = Servers(profile, make_client, folder, timeout=timeout, start_timeout=start_timeout)
        self._turn = asyncio.Lock()
        self._left_over = False
        self._last_shard = -1

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:
        """The sink that the settings describe."""
        profile = make_profile(settings.mcp_profile)
        make_client = make_client_from(settings, profile)
        return cls(
            settings.mcp_dir,
            profile,
            make_client,
            name=name,
            timeout=settings.mcp_timeout,
            start_timeout=settings.mcp_start_timeout,
        )

    @property
    def abilities(self) -> Abilities:
        """Who answers what: the server, or the ledger in its place."""
        return self._profile.abilities

    async def __aenter__(self) -> Self:
        self._lock.acquire()
        try:
            await super().__aenter__()
            self._servers.open()
            await self._servers.probe()
            async with self._turn:
                with translated(self._path):
                    shards = await in_flight.shards(self._fetcher)
                await self._find_out_what_is_lost(shards)
                # The rest with the next batches and sweeps.
                self._left_over = True
                await self._set_right(MAX_CALL_ENTRIES)
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._servers.close()
        finally:
            try:
                await super().__aexit__(kind, error, trace)
            finally:
                self._lock.release()

    async def health(self) -> StoreIdentity:
        """See `Sink.health`. Lists the server's tools; the identity is the ledger's."""
        await self._find_again()
        await self._servers.probe()
        async with self._read() as finder:
            return await tables.identity(finder)

    async def check(self) -> None:
        """Keeps a small entry under a reserved user, reads it back, and removes it.

        Raises:
            SinkUnavailable: that does not work.
        """
        async with self._turn:
            await self._servers.check()

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`. A session that ends meanwhile is replaced, and the batch done again, once."""
        async with self._turn:
            try:
                return await self._apply(commands, now, repair=repair)
            except (SessionLost, ToolFailed) as error:
                first = error
            log.warning(
                "the MCP server failed in a batch, which is done again", sink=self.name, error=str(first)
            )
            try:
                return await self._apply(commands, now, repair=repair)
            except (SessionLost, ToolFailed) as error:
                self._left_over = True
                # A server that takes nothing is down; one that takes other entries is broken by this batch.
                await self._servers.check(error.shard)
                raise BatchBroke(f"the MCP server fails at it: {error}") from error

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`. What the server does not hold as it should is unknown: other sinks may know."""
        found = await super().fetch(addresses, as_of)
        if await self._are_held(found):
            return found
        async with self._turn:
            # Now nothing is on its way.
            found = await super().fetch(addresses, as_of)
            held = await self._held(found)
        return [
            one
            if one.entry is None or one.entry.address in held
            else Fetched(state="unknown", version=one.version)
            for one in found
        ]

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        return (await super().stats(user_id)).model_copy(update={"durable": False})

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`. A row that the server does not hold as it should is not intact."""
        if not check:
            return await super().versions(bucket, check=False, hashes=hashes)
        async with self._turn:
            traces = await super().versions(bucket, hashes=hashes)
            spoilt = await self._spoilt(traces)
        return [one._replace(intact=False) if one.place in spoilt else one for one in traces]

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`. What was left on its way by a failure is read back, and set right.

        So is what the server does not hold as it should in the bucket that is recounted; where none is, all
        that was brought to a server which has lost it. A row that is damaged in the ledger is demoted there,
        and not brought to the server: what that holds may be right.
        """
        async with self._turn:
            spoilt = set() if recount is None else await self._spoilt(await super().versions(recount))
            async with self._write() as writer:
                report, gone = await sweeping.sweep(writer, to_microseconds(now), limit, recount, floor)
                await in_flight.note(writer, [*gone, *spoilt])
            if recount is None:
                with suppress(SinkUnavailable):
                    await self._find_out_what_is_lost(await self._shards_in_turn())
            more = await self._set_right(max(limit, MAX_CALL_ENTRIES))
        return replace(report, more=report.more or more)

    async def _prepare(self, writer: aiosqlite.Connection) -> None:
        await super()._prepare(writer)
        await writer.executescript(in_flight.TABLES)

    async def _find_again(self) -> None:
        """Opens what is in the place of a ledger that was lost, and not in the middle of a batch.

        A new ledger knows nothing of what the servers hold: that is replaced where it is told of it.
        """
        if self._is_lost:
            async with self._turn:
                await super()._find_again()

    async def _spoilt(self, traces: Iterable[Trace]) -> set[Address]:
        """Where a server does not hold what an intact row of the ledger says."""
        # Marks have no kind, so these are addresses.
        live = [
            one.place
            for one in traces
            if one.kind is Kind.LIVE and one.intact and isinstance(one.place, Address)
        ]
        if not live:
            return set()
        with translated(self._path):
            planned = await in_flight.plans(self._fetcher, live)
        kept = await self._servers.read({shard: list(of) for shard, of in planned.items()})
        return {a for of in planned.values() for a, command in of.items() if not same(kept.get(a), command)}

    async def _apply(self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool) -> list[Outcome]:
        touched = [one for one in commands if isinstance(one, AddressCommand)]
        addresses = list(dict.fromkeys(one.address for one in touched))
        stored = [one.address for one in touched if isinstance(one, StoreCommand)]
        await self._note(addresses, stored)
        async with self._write() as writer:
            now_us, refuse = to_microseconds(now), self._profile.refuse
            outcomes, marked = await apply_batch(writer, commands, now_us, refuse, repair=repair)
            await self._bring(writer, addresses)
            if marked:
                await in_flight.note(writer, await sweeping.purge(writer, PURGE_AT_ONCE))
        if marked or self._left_over:
            # What is decided holds from here on; what else is to be done goes on with the next sweeps.
            with suppress(SinkUnavailable):
                await self._set_right(PURGE_AT_ONCE)
                self._left_over = False
        return outcomes

    async def _note(self, addresses: Iterable[Address], stored: Sequence[Address] = ()) -> None:
        """Durable when it returns: from now on the servers may hold something else there than the ledger."""
        addresses = list(addresses)
        if not addresses:
            return
        async with self._write() as writer:
            await in_flight.note(writer, addresses)
            await in_flight.settle(writer, stored, self._profile.entities_a_server)

    async def _bring(self, writer: aiosqlite.Connection, addresses: Sequence[Address]) -> None:
        """Brings to the servers what the ledger says, inside the transaction that says so."""
        if addresses:
            planned = await in_flight.plans(writer, addresses)
            await self._servers.bring(planned)
            await in_flight.strike(writer, addresses, planned)

    async def _set_right(self, limit: int) -> bool:
        """Brings what was on its way when something broke, at most so much. What breaks it again is left.

        Returns:
            Whether more is left, and nothing broke.
        """
        for _ in range(0, limit, MAX_CALL_ENTRIES):
            left = await self._noted(MAX_CALL_ENTRIES)
            if not left:
                return False
            try:
                async with self._write() as writer:
                    await self._bring(writer, left)
            except (SessionLost, ToolFailed):
                await self._set_right_one_by_one(left)
                return False
        return bool(await self._noted(1))

    async def _noted(self, most: int) -> list[Address]:
        with translated(self._path):
            return await in_flight.noted(self._writer, most)

    async def _set_right_one_by_one(self, left: Sequence[Address]) -> None:
        for address in left:
            with suppress(SessionLost, ToolFailed):
                async with self._write() as writer:
                    await self._bring(writer, [address])

    async def _shards_in_turn(self) -> list[int]:
        """Some shards, the next ones at each call: no more than may be open at once."""
        with translated(self._path):
            shards = await in_flight.shards(self._fetcher)
        ahead = [shard for shard in shards if shard > self._last_shard]
        chosen = [*ahead, *(shard for shard in shards if shard <= self._last_shard)][:MAX_OPEN]
        self._last_shard = chosen[-1] if chosen else 0
        return chosen

    async def _find_out_what_is_lost(self, shards: Iterable[int]) -> None:
        """A server that holds few of what was brought to it has lost its store: it gets all again."""
        with translated(self._path):
            samples = await in_flight.some_of_each(self._fetcher, shards, _SAMPLE)
        for shard, addresses in samples.items():
            # What was stored since is there.
            if 2 * len(await self._servers.read({shard: addresses})) < len(addresses):
                log.warning(
                    "the MCP server has lost its entries, they are brought to it again", sink=self.name
                )
                async with self._write() as writer:
                    await in_flight.note_all(writer, shard)

    async def _are_held(self, found: Sequence[Fetched]) -> bool:
        wanted = {one.entry.address for one in found if one.entry is not None}
        return wanted <= await self._held(found)

    async def _held(self, found: Sequence[Fetched]) -> set[Address]:
        """The addresses of those entries that the servers hold just so."""
        wanted = {one.entry.address: store_of(one.entry) for one in found if one.entry is not None}
        if not wanted:
            return set()
        with translated(self._path):
            places = await in_flight.places(self._fetcher, wanted)
        kept = await self._servers.read(places)
        return {address for address, command in wanted.items() if same(kept.get(address), command)}
