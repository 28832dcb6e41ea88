"""The servers of one sink: one, or one for each shard where a server is given only so many entries."""

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.version import make_version
from memlane.storage.errors import SinkUnavailable
from memlane.storage.mcp.chunks import MAX_CALL_ENTRIES, chunks
from memlane.storage.mcp.errors import SessionLost, ToolFailed
from memlane.storage.mcp.keeper import SessionKeeper
from memlane.storage.mcp.profile import Profile, Wanted
from memlane.storage.mcp.record import encode_record, same
from memlane.storage.mcp.transport import MakeClient

MAX_OPEN: Final = 8
"""Servers that run at once; the one that was idle for longest is stopped when another one is needed."""

CHECK_USER: Final = "memlane-check"
"""Reserved: what is written under it is removed at once."""


class Servers:
    """Reads from and writes to the servers, by shard.

    Args:
        profile: of all of them.
        make_client: makes the SDK's client of one.
        folder: where they keep their stores and logs.
        timeout: for each call.
        start_timeout: for the start of a server.
    """

    def __init__(
        self,
        profile: Profile,
        make_client: MakeClient,
        folder: Path,
        *,
        timeout: timedelta,
        start_timeout: timedelta,
    ) -> None:
        self._profile = profile
        self._make_client = make_client
        self._folder = folder
        self._timeouts = (timeout, start_timeout)
        self._keepers: OrderedDict[int, SessionKeeper] = OrderedDict()
        self._in_use: Counter[int] = Counter()
        self._is_open = False

    def open(self) -> None:
        """From now on servers are started, or reached, as they are needed."""
        self._is_open = True

    async def probe(self) -> None:
        """Returns if a server answers.

        Raises:
            SinkUnavailable: it does not.
        """
        async with self._keeper(next(reversed(self._keepers), 0)) as keeper:
            await keeper.probe()

    async def read(self, places: Mapping[int, Sequence[Address]]) -> dict[Address, StoreCommand]:
        """What the servers hold at these addresses, by shard.

        Raises:
            SinkUnavailable: one does not answer, or not with what it was asked.
        """
        found: dict[Address, StoreCommand] = {}
        for shard, addresses in places.items():
            async with self._keeper(shard) as keeper:
                for start in range(0, len(addresses), MAX_CALL_ENTRIES):
                    try:
                        found |= await self._profile.read(
                            keeper.call, addresses[start : start + MAX_CALL_ENTRIES]
                        )
                    except ToolFailed as error:
                        raise SinkUnavailable(f"the MCP server could not be read: {error}") from error
        return found

    async def bring(self, places: Mapping[int, Wanted]) -> None:
        """Makes the servers hold what is wanted, by shard.

        Raises:
            SinkUnavailable: a server does not answer.
            ToolFailed: it does, and does not do it.
        """
        for shard, wanted in places.items():
            async with self._keeper(shard) as keeper:
                for addresses in chunks(_sizes(wanted)):
                    try:
                        part = {address: wanted[address] for address in addresses}
                        await self._profile.bring(keeper.call, part)
                    except (SessionLost, ToolFailed) as error:
                        error.shard = shard
                        raise

    async def check(self, shard: int = 0) -> None:
        """Keeps a small entry, reads it, and removes it.

        Raises:
            SinkUnavailable: the server does not take even that.
        """
        command = StoreCommand(id=make_version(0, 0), user_id=CHECK_USER, key="check", value_json="check")
        async with self._keeper(shard) as keeper:
            try:
                await self._profile.bring(keeper.call, {command.address: command})
                try:
                    kept = (await self._profile.read(keeper.call, [command.address])).get(command.address)
                finally:
                    await self._profile.bring(keeper.call, {command.address: None})
            except (ToolFailed, SessionLost) as error:
                raise SinkUnavailable(f"the MCP server does not take even a small entry: {error}") from error
        if not same(kept, command):
            raise SinkUnavailable("the MCP server does not give back what it was given")

    async def close(self) -> None:
        """Ends all sessions, and the processes that were started for them."""
        self._is_open = False
        try:
            for keeper in self._keepers.values():
                await keeper.close()
        finally:
            left = [keeper.close() for keeper in self._keepers.values() if keeper.is_open]
            await asyncio.gather(*left, return_exceptions=True)

    @asynccontextmanager
    async def _keeper(self, shard: int) -> AsyncIterator[SessionKeeper]:
        """A shard's keeper. Its session is not ended to make room for others while it is used."""
        if not self._is_open:
            raise SinkUnavailable("the MCP sink is not open", hint="use it in `async with`")
        keeper = self._keepers.get(shard)
        if keeper is None:
            environment = self._profile.environment(self._folder, shard)
            log = self._folder / f"server-{shard:03}.log"
            make = partial(self._make_client, environment, log)
            keeper = self._keepers[shard] = SessionKeeper(make, self._profile.needs, *self._timeouts)
        self._keepers.move_to_end(shard)
        self._in_use[shard] += 1
        try:
            await self._make_room()
            yield keeper
        finally:
            self._in_use[shard] -= 1

    async def _make_room(self) -> None:
        open_ = [shard for shard, keeper in self._keepers.items() if keeper.is_open]
        idle = [shard for shard in open_ if not self._in_use[shard]]
        for shard in idle[: max(0, len(open_) - MAX_OPEN)]:
            await self._keepers[shard].close()


def _sizes(wanted: Wanted) -> dict[Address, int]:
    return {address: 0 if one is None else len(encode_record(one)) for address, one in wanted.items()}
