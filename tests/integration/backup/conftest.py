"""memlane with three sinks, what they hold, and backups of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from memlane.client import MemoryClient
from memlane.contracts.canonical import Json
from memlane.contracts.command import AnyCommand
from memlane.contracts.instants import now
from memlane.contracts.standing import NOTHING_SAID
from memlane.producers.broker.connection import connect, user_of
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.redis import RedisSink
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from memlane.testing.servers import RedisServer
from memlane.workers.backup.folder import BackupFolder
from memlane.workers.backup.making import Made, make_backup
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.restoring import checked
from memlane.workers.backup.selection import Selection
from memlane.workers.backup.sending import Sent, send_all
from memlane.workers.backup.source import Source, choose_source
from memlane.workers.watched_ask import watched_ask
from tests.integration.conftest import StartSystem
from tests.support.commands import store
from tests.support.system import System
from tests.support.waiting import wait_until

NAME: Final = "before-migration"


@dataclass(frozen=True, kw_only=True)
class Stores:
    """What the sinks keep their rows in."""

    sqlite: SqliteSink
    memory: MemorySink
    redis_url: str
    redis_prefix: str


class Deployment:
    """A system with SQLite, Redis and a sink in memory.

    Args:
        system: that runs.
        client: of it, which is patient.
        sinks: its sinks, the durable one first.
        stores: of those.
        folder: for its backups.
    """

    def __init__(
        self, system: System, client: MemoryClient, sinks: Sequence[Sink], stores: Stores, folder: Path
    ) -> None:
        self.system = system
        self.client = client
        self.sinks = sinks
        self.backups = BackupFolder(folder)
        self._stores = stores

    @asynccontextmanager
    async def source(self, wanted: str | None = None) -> AsyncIterator[Source]:
        """A sink to read from, as the command line sees it."""
        async with await connect(self.system.url, "test source") as connection:
            async with watched_ask(connection, user_of(self.system.url)) as ask:
                names = self.system.settings.sink_names
                yield await choose_source(ask, names, lambda _sink: NOTHING_SAID, wanted)

    async def back_up(self, name: str = NAME, sink: str | None = None) -> Made:
        """Makes a backup."""
        async with self.source(sink) as source:
            return await make_backup(self.backups, source, name)

    async def restore(
        self, client: MemoryClient, file: BackupFile, selection: Selection | None = None
    ) -> Sent:
        """Restores a backup under its own versions, and waits until all sinks have decided."""
        sent = Sent()
        commands = checked(file).commands(selection or Selection())
        await send_all(client, commands, sent, wait="all")
        assert "pending" not in {decision for _, decision in sent.report.decisions}
        return sent

    async def send(self, *commands: AnyCommand) -> None:
        """Publishes commands, and waits until all sinks have decided."""
        for receipt in await self.client.send(commands, wait=frozenset(sink.name for sink in self.sinks)):
            assert not receipt.pending

    async def lose_everything(self) -> None:
        """Empties all stores behind memlane's back."""
        self._stores.memory.wipe()
        async with self._stores.sqlite._write() as writer:
            for table in ("rows", "marks", "users", "buckets"):
                await writer.execute(f"DELETE FROM {table}")  # noqa: S608
        async with Redis.from_url(self._stores.redis_url) as raw:
            keys = [key async for key in raw.scan_iter(f"{self._stores.redis_prefix}*", 1000)]
            await raw.delete(*keys)

    async def settled(self) -> None:
        """Waits until the sinks have decided all that was sent before, and checks that they hold the same."""
        await self.send(store("fence", user="fence"))
        for sink in self.sinks:
            # Rows under a mark may be there until they are swept.
            await sink.sweep(now())
        await wait_until(self._is_level, "all sinks hold the same")

    async def _is_level(self) -> bool:
        found = [await sink.digests() for sink in self.sinks]
        return found == [found[0]] * len(found)

    async def values(self, client: MemoryClient, user: str) -> dict[str, Json]:
        """What is remembered of a user, by key, wherever it is."""
        return {entry.key: entry.value async for entry in client.iterate(user)}


@pytest.fixture
def stores(sqlite: SqliteSink, memory: MemorySink, redis_server: RedisServer) -> Stores:
    """A new file, a new dict, and a part of Redis of its own."""
    prefix = f"test-{uuid4().hex[:12]}"
    return Stores(sqlite=sqlite, memory=memory, redis_url=redis_server.url, redis_prefix=prefix)


@pytest.fixture
def durable(sqlite: SqliteSink) -> FailingSink:
    """The durable sink, which fails where it is told to."""
    return FailingSink(sqlite)


@pytest.fixture
async def deployment(
    start_system: StartSystem, durable: FailingSink, stores: Stores, tmp_path: Path
) -> AsyncIterator[Deployment]:
    """Three sinks, empty."""
    sinks: list[Sink] = [durable, RedisSink(stores.redis_url, prefix=stores.redis_prefix), stores.memory]
    system = await start_system(*sinks)
    async with system.client(deadline="PT20S") as client:
        yield Deployment(system, client, sinks, stores, tmp_path / "backups")


@pytest.fixture
def client(deployment: Deployment) -> MemoryClient:
    """A client of it, which is patient."""
    return deployment.client


@asynccontextmanager
async def writing(client: MemoryClient, user: str) -> AsyncIterator[list[int]]:
    """Somebody who goes on writing and deleting; yields what counts how often."""
    count = [0]

    async def go_on() -> None:
        while True:
            number = count[0]
            await client.store(user, f"k{number % 40}", {"turn": number})
            if number % 3 == 0:
                await client.delete(user, f"k{(number * 7) % 40}")
            if number % 50 == 49:
                await client.delete_namespace(user, "side")
            await client.store(user, f"s{number % 10}", number, namespace="side/way")
            count[0] += 1

    task = asyncio.create_task(go_on())
    try:
        yield count
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
