"""A sink that may be down when its process starts: its trouble is its own, the others start all the same."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Self

import structlog

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import loggable
from memlane.contracts.fingerprint import Digest
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, SinkStats
from memlane.producers import log_keys
from memlane.storage.errors import SinkBusy, SinkError, SinkUnavailable
from memlane.storage.identity import StoreIdentity
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.sink import Sink

_FIRST_TRY_SECONDS: Final = 5.0
"""Other sinks wait for no more than that."""

log: Final = structlog.get_logger("memlane.sink")


class LateSink:
    """Enters a sink when it can be reached: at first, or by the health check that finds it back.

    Until then every method raises why it could not be entered.

    Attributes:
        first_seen: which store it was right after it was entered, before anything was applied to it from
            here: by that a store is known that went back while nobody looked. None until then.
    """

    def __init__(self, sink: Sink) -> None:
        self.first_seen: StoreIdentity | None = None
        self._sink = sink
        self._away: SinkUnavailable | None = SinkUnavailable(f"the sink {sink.name} is not open")
        self._entering = asyncio.Lock()

    @property
    def name(self) -> str:
        """See `Sink.name`."""
        return self._sink.name

    @property
    def durable(self) -> bool:
        """See `Sink.durable`."""
        return self._sink.durable

    async def __aenter__(self) -> Self:
        """Raises `SinkMisconfigured` as the sink does; not where it can't be reached, or not soon."""
        try:
            async with asyncio.timeout(_FIRST_TRY_SECONDS):
                await self._enter()
        except TimeoutError:
            self._away = SinkUnavailable(f"the sink {self.name} is still starting")
        except (SinkUnavailable, SinkBusy) as error:
            log.warning(
                "sink is down at the start, will be entered when it is back",
                **{log_keys.SINK: self.name, log_keys.ERROR: str(error)},
            )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._entering:
            self._away = SinkUnavailable(f"the sink {self.name} is closed")
            await self._sink.__aexit__(kind, error, trace)

    async def health(self) -> StoreIdentity:
        """See `Sink.health`."""
        if self._away is not None:
            await self._enter()
        return await self._sink.health()

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`."""
        return await self._entered.apply(commands, now, repair=repair)

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """See `Sink.fetch`."""
        return await self._entered.fetch(addresses, as_of)

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """See `Sink.find`."""
        return await self._entered.find(question, as_of)

    async def stats(self, user_id: str | None) -> SinkStats:
        """See `Sink.stats`."""
        return await self._entered.stats(user_id)

    async def digests(self) -> list[Digest]:
        """See `Sink.digests`."""
        return await self._entered.digests()

    async def hashes(self, bucket: int) -> list[str]:
        """See `Sink.hashes`."""
        return await self._entered.hashes(bucket)

    async def versions(
        self, bucket: int, *, check: bool = True, hashes: Collection[str] | None = None
    ) -> list[Trace]:
        """See `Sink.versions`."""
        return await self._entered.versions(bucket, check=check, hashes=hashes)

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`."""
        return await self._entered.sweep(now, limit=limit, recount=recount, floor=floor)

    @property
    def _entered(self) -> Sink:
        if self._away is not None:
            raise self._away
        return self._sink

    async def _enter(self) -> None:
        async with self._entering:
            if self._away is None:
                return
            try:
                self.first_seen = await self._enter_and_look()
            except (SinkUnavailable, SinkBusy) as error:
                self._away = SinkUnavailable(error.message, hint=error.hint)
                raise
            self._away = None

    async def _enter_and_look(self) -> StoreIdentity:
        await self._sink.__aenter__()
        try:
            return await self._sink.health()
        except BaseException as error:
            # Half entered is not entered: it is begun again from the start.
            await self._sink.__aexit__(None, None, None)
            if isinstance(error, SinkError) or not isinstance(error, Exception):
                raise
            raise SinkUnavailable(f"the health check broke off: {loggable(error)}") from error
