"""Looking at the sinks and at the broker while everything runs: probes, digests, depths, what is parked."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final

from memlane.client import MemlaneError, MemoryClient
from memlane.contracts import headers
from memlane.contracts.address import Address
from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import decode_message
from memlane.contracts.command import StoreCommand
from memlane.contracts.errors import MalformedMessage
from memlane.contracts.fingerprint import Digest
from memlane.contracts.instants import now
from memlane.contracts.topology import dead_queue, lane_queue, topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.standings import standings_now
from memlane.producers.settings import ClientSettings
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.redis import RedisSink
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from tests.chaos.holdings import Holding, holding_of, holding_of_files
from tests.chaos.journal import Journal
from tests.chaos.world import MCP, RETRY_DELAYS, World
from tests.support.broker import connected_broker

PROBE_USER: Final = "chaos probe"
_POLL_SECONDS: Final = 0.05
_REDIS_TIMEOUT: Final = timedelta(seconds=2)
_AWAY: Final = (SinkUnavailable, SinkBusy)


@dataclass(slots=True)
class Watch:
    """See the module.

    Attributes:
        world: that is looked at.
        sinks: the same stores that the workers work on; of the MCP sink, its ledger.
        journal: of the probes, which are promises like any others.
        parked: by sink, the commands found in its dead-letter queue, with the error's name.
    """

    world: World
    sinks: list[Sink]
    client: MemoryClient
    journal: Journal
    path: Path
    clock: HybridClock = field(default_factory=HybridClock)
    parked: dict[str, dict[str, str]] = field(default_factory=dict)
    _probes: int = 0

    async def recover(self, within: timedelta) -> timedelta | None:
        """Writes a probe, and waits until every sink shows it; None where that takes too long.

        A lane takes its commands in their order, so whatever had waited before is then decided as well.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            async with asyncio.timeout(within.total_seconds()):
                probe = await self._send_probe()
                for sink in self.sinks:
                    while not await _shows(sink, probe):  # noqa: ASYNC110  it is in another process
                        await asyncio.sleep(_POLL_SECONDS)
        except TimeoutError:
            return None
        return timedelta(seconds=loop.time() - started)

    async def rebuilding(self) -> list[str]:
        """The sinks that are marked as rebuilding: they are being filled from the command log."""
        async with await connect(self.world.rabbitmq.url, "chaos standings") as connection:
            found = await standings_now(connection)
        return [sink for sink in self.world.sinks if found[sink].rebuilding is not None]

    async def digests(self, without: Collection[str] = ()) -> list[Digest] | None:
        """Of each sink, or None where one can't say."""
        asked = [sink for sink in self.sinks if sink.name not in without]
        try:
            found = [(await sink.stats(None)).digest for sink in asked]
        except _AWAY:
            return None
        return [Digest(one.count, one.sum) for one in found]

    async def is_drained(self, without: Collection[str] = ()) -> bool:
        """Whether nothing waits in a lane, or in front of another try."""
        asked = [sink for sink in self.world.sinks if sink not in without]
        queues = topology(asked, retry_delays=RETRY_DELAYS).queues
        names = [queue.name for queue in queues if queue.kind == "quorum" and ".dead." not in queue.name]
        async with connected_broker(self.world.rabbitmq.url) as broker:
            return all([await broker.is_empty(name) for name in names])

    async def take_parked(self) -> None:
        """Takes what is parked, and remembers it."""
        async with connected_broker(self.world.rabbitmq.url) as broker:
            for sink in self.world.sinks:
                of_sink = self.parked.setdefault(sink, {})
                for got in await broker.take(dead_queue(sink)):
                    fields = got.header.properties.headers or {}
                    error = str(fields.get(headers.ERROR_CLASS, "dead-lettered by the broker"))
                    try:
                        decoded = decode_message(got.body)
                    except MalformedMessage:
                        continue
                    of_sink.update((command.id, error) for command in decoded.commands)

    async def holdings(self, addresses: Collection[Address]) -> list[Holding]:
        """What every sink holds; of the MCP sink, its ledger and the server's files."""
        as_of = now()
        found = [await holding_of(sink, addresses, as_of) for sink in self.sinks]
        if self.world.has_mcp:
            found.append(holding_of_files(self.world.mcp_dir))
        return found

    async def backlog(self) -> dict[str, int]:
        """Messages that wait in each lane."""
        async with connected_broker(self.world.rabbitmq.url) as broker:
            return {sink: (await broker.depth(lane_queue(sink))).messages for sink in self.world.sinks}

    async def _send_probe(self) -> StoreCommand:
        self._probes += 1
        probe = StoreCommand(
            id=self.clock.next(),
            user_id=PROBE_USER,
            key=f"probe {self._probes}",
            value_json=str(self._probes),
        )
        self.journal.intend([probe])
        while True:
            try:
                await self.client.send([probe])
            except MemlaneError:
                await asyncio.sleep(_POLL_SECONDS)
            else:
                self.journal.settle([probe], "confirmed")
                return probe


@asynccontextmanager
async def watching(world: World) -> AsyncIterator[Watch]:
    """Opens the sinks, and a client that goes past the networks which are cut."""
    async with AsyncExitStack() as exits:
        sinks: list[Sink] = [
            SqliteSink(world.sqlite_path),
            RedisSink(world.redis.url, timeout=_REDIS_TIMEOUT),
        ]
        if world.has_mcp:
            sinks.append(SqliteSink(world.mcp_dir / "ledger.db", name=MCP))
        for sink in sinks:
            await exits.enter_async_context(sink)
        settings = ClientSettings(state_dir=world.folder / "probes" / "state")
        client = await exits.enter_async_context(MemoryClient(world.rabbitmq.url, settings=settings))
        path = world.folder / "probes" / "journal.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(path)
        exits.callback(journal.close)
        yield Watch(world, sinks, client, journal, path)


async def _shows(sink: Sink, probe: StoreCommand) -> bool:
    try:
        (found,) = await sink.fetch([probe.address], now())
    except _AWAY:
        return False
    return found.version == probe.id
