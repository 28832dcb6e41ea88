"""`memlane up` with three sinks in this process, somebody who writes and asks all the time, and the truth."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from memlane.client import MemoryClient
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import IncompleteAnswer
from memlane.contracts.fingerprint import digest_of
from memlane.contracts.instants import now
from memlane.contracts.rounds import RoundReport
from memlane.contracts.topology import STANDING
from memlane.producers.broker.connection import connect
from memlane.producers.broker.rounds import last_round
from memlane.producers.broker.standings import said_so_far, standings_now
from memlane.producers.broker.stream import read_stream
from memlane.producers.ending import end
from memlane.storage.conformance.model import Model
from memlane.storage.settings import SinkSettings
from memlane.workers.commands.reconcile import one_round
from memlane.workers.commands.round_shown import Differences
from memlane.workers.reconciler.round import Manner
from memlane.workers.settings import WorkerSettings
from tests.support.broker import Broker
from tests.support.commands import delete, store
from tests.support.serving import Served, serving
from tests.support.system import client_settings, worker_settings
from tests.support.waiting import wait_until

SINKS: Final = "sqlite,redis,mcp"
LONG: Final = timedelta(seconds=60)

STABLE: Final = 60
"""Entries that nobody writes to while a store is spoilt."""

GONE: Final = 20
"""Of these: deleted before it is spoilt."""

_FAST: Final[dict[str, Any]] = {
    "watch_interval": "PT0.1S",
    "reconcile_interval": "PT0.5S",
    "reconcile_grace": "PT1S",
    "sweep_interval": "PT0.5S",
    "hedge_after": "PT0.2S",
}


class Deployment:
    """A deployment, and what it was told.

    Args:
        broker: of this test.
        client: who writes and asks.
        served: the workers.
        settings: of the workers.
        sinks: where the stores are.
    """

    def __init__(
        self,
        broker: Broker,
        client: MemoryClient,
        served: Served,
        *,
        settings: WorkerSettings,
        sinks: SinkSettings,
    ) -> None:
        self.broker = broker
        self.client = client
        self.served = served
        self.settings = settings
        self.sinks = sinks
        self.commands: list[AnyCommand] = []
        self.wrong: list[str] = []
        self._random = random.Random(7)  # a test's own choice

    async def send(self, *commands: AnyCommand) -> None:
        """Sends commands, which all of the sinks must come to hold."""
        self.commands += commands
        await self.client.send(commands)

    async def fill(self, sinks: str = SINKS) -> None:
        """What is there before."""
        await self.send(*(store(f"stable {n}", n, user="s") for n in range(STABLE)))
        await self.until_level(sinks)

    async def delete_some(self, sinks: str = SINKS) -> None:
        """Some of it is deleted; a copy from before does not know."""
        await self.send(*(delete(f"stable {n}", user="s") for n in range(GONE)))
        await self.until_level(sinks)

    @asynccontextmanager
    async def traffic(self) -> AsyncIterator[None]:
        """Meanwhile somebody writes, and somebody asks."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._ask())]
        try:
            yield
        finally:
            for task in tasks:
                if task.done():
                    task.result()
            await end(*tasks)

    async def until_level(self, sinks: str = SINKS) -> None:
        """Waits until every sink holds what all commands come to, and none is rebuilding."""
        model = Model(self.commands)
        true = digest_of(hash_ for _, _, hash_ in model.kept())
        await wait_until(
            lambda: self._all_hold(sinks.split(","), (true.count, true.sum)), "all hold the same", LONG
        )

    async def until_rebuilding(self, sink: str) -> None:
        """Waits until it is known that a sink lacks commands."""
        await wait_until(lambda: self.is_rebuilding(sink), f"{sink} is known to lack commands", LONG)

    async def until_compared(self) -> None:
        """Waits for a round that begins now."""
        since = now()

        async def is_over() -> bool:
            report = await last_round(self.broker.connection)
            return report is not None and report.at > since

        await wait_until(is_over, "the sinks were compared", LONG)

    async def until_said(self, sink: str, reason: str) -> None:
        """Waits until somebody has said that a sink lacks commands, and why. It may be level again."""

        async def was_said() -> bool:
            async with read_stream(self.broker.connection, STANDING, "first") as reader:
                said = [one async for one in said_so_far(self.broker.connection, reader)]
            return any((one.sink, one.event, one.reason) == (sink, "rebuilding", reason) for one in said)

        await wait_until(was_said, f"{sink}: {reason}", LONG)

    async def until_asked(self, sink: str) -> None:
        """Waits until a sink lacks nothing, and is asked."""

        async def is_asked() -> bool:
            return not await self.is_rebuilding(sink)

        await wait_until(is_asked, f"{sink} is asked", LONG)

    async def is_rebuilding(self, sink: str) -> bool:
        """Whether it is known that a sink lacks commands."""
        return (await standings_now(self.broker.connection))[sink].rebuilding is not None

    async def full_round(self) -> RoundReport:
        """What `memlane reconcile --full` does; nothing is on its way any more, so nothing is too young."""
        manner = Manner(grace=timedelta(0), full=True)
        async with await connect(self.settings.url, "test reconcile") as connection:
            return await one_round(connection, self.settings, manner, Differences(0))

    async def _all_hold(self, sinks: list[str], digest: tuple[int, int]) -> bool:
        try:
            said = (await self.client.stats()).sinks
        except IncompleteAnswer:
            return False
        found = [said[sink].stats for sink in sinks if sink in said]
        held = [(one.digest.count, one.digest.sum) for one in found if one is not None]
        if held != [digest] * len(sinks):
            return False
        return not any([await self.is_rebuilding(sink) for sink in sinks])

    async def _write(self) -> None:
        for n in range(1_000_000):
            key, user = f"k{self._random.randrange(40)}", f"u{n % 3}"
            is_delete = n % 5 == 4
            await self.send(delete(key, user=user) if is_delete else store(key, n, user=user))
            await asyncio.sleep(0.005)

    async def _ask(self) -> None:
        """What is deleted is not answered, and what is there is not said to be gone."""
        while True:
            n = self._random.randrange(STABLE)
            try:
                entry = await self.client.get("s", f"stable {n}")
                page = await self.client.list("s", limit=100)
            except IncompleteAnswer:
                continue
            if n < GONE and entry is not None:
                self.wrong.append(f"stable {n} was deleted, and is answered")
            if n >= GONE and (entry is None or entry.value != n):
                self.wrong.append(f"stable {n} is there, and is not answered")
            listed = {int(hit.entry.key.split()[1]) for hit in page.hits}
            if listed & set(range(GONE)):
                self.wrong.append("what was deleted is listed")
            if page.complete and len(listed) < STABLE - GONE:
                self.wrong.append("a complete list lacks entries")
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running_deployment(
    broker: Broker, sinks: SinkSettings, folder: Path, port: int, names: str = SINKS
) -> AsyncIterator[Deployment]:
    """Starts it, and stops it in good order."""
    settings = worker_settings(broker.url, names.split(","), health_port=port, **_FAST)
    async with serving(settings, sinks) as served:
        await served.until_ready(200)
        mine = client_settings(broker.url, folder / "state", deadline="PT5S")
        async with MemoryClient(settings=mine) as client:
            yield Deployment(broker, client, served, settings=settings, sinks=sinks)
