"""A message that ends the worker's process is found, and parked; everything else is applied."""

import asyncio
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from memlane.contracts.codec import decode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.topology import dead_queue, lane_queue, suspect_queue
from memlane.producers.broker.standings import standings_now
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sqlite import SqliteSink
from memlane.workers.lane.suspicion import POISON_AFTER, SUSPECT_AFTER, Suspicion
from tests.integration.conftest import StartSystem
from tests.support import mortal_worker
from tests.support.broker import Broker, declare
from tests.support.commands import message, store
from tests.support.system import LANE
from tests.support.waiting import wait_until

_PATIENCE: Final = timedelta(seconds=60)
_ROOT: Final = Path(__file__).parents[3]


class Supervisor:
    """Starts the worker again whenever it has ended, as an init system does."""

    def __init__(self, url: str, path: Path) -> None:
        self.deaths = 0
        self._arguments = ("-m", "tests.support.mortal_worker", url, str(path))
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        try:
            while True:
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, *self._arguments, cwd=_ROOT, stderr=asyncio.subprocess.DEVNULL
                )
                await self._process.wait()
                self.deaths += 1
        finally:
            if self._process is not None:
                with suppress(ProcessLookupError):
                    self._process.kill()
                await self._process.wait()


async def test_a_message_that_kills_the_worker_is_parked_and_its_neighbours_are_applied(
    broker: Broker, sqlite: SqliteSink, tmp_path: Path
) -> None:
    """Those before it, behind it, and in the same message. It takes a bounded number of deaths."""
    wanted = await declare(
        broker, ["sqlite"], retry_delays=(timedelta(seconds=0.05), timedelta(seconds=0.06))
    )
    deadly = store("culprit", namespace=mortal_worker.DEADLY)
    beside = [store(f"beside-{n}") for n in range(5)]
    others = [store(f"other-{n}") for n in range(300)]
    for one in others[:150]:
        await broker.publish(message(one))
    await broker.publish(message(*beside[:3], deadly, *beside[3:]))
    for one in others[150:]:
        await broker.publish(message(one))
    supervisor = Supervisor(broker.url, tmp_path / "memory.db")
    supervising = asyncio.create_task(supervisor.run())
    try:
        await wait_until(lambda: broker.holds(dead_queue("sqlite"), 1), "it is parked", _PATIENCE)
        await _until_applied(sqlite, [*others, *beside])
        for queue in (lane_queue("sqlite"), suspect_queue("sqlite")):
            await wait_until(lambda queue=queue: broker.is_empty(queue), f"{queue} is empty")
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
    (parked,) = await broker.parked("sqlite")
    assert decode_message(parked.body).commands == [deadly]
    assert parked.error_class == "Poison"
    assert f"ended {mortal_worker.POISON_AFTER} times" in parked.error_text
    # In the lane, with its neighbours beside it in the message, and alone.
    assert supervisor.deaths == mortal_worker.SUSPECT_AFTER + 2 * mortal_worker.POISON_AFTER
    await broker.delete(wanted)


async def test_what_a_living_worker_gave_back_is_no_suspect(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """However often the sink goes down under it."""
    system = await start_system(failing, roles=[LANE])
    for _ in range(SUSPECT_AFTER + 3):
        failing.go_down()
        await system.broker.publish(message(store()))
        await wait_until(lambda: system.lane.state.condition == "waiting", "the lane waits")
        failing.heal()
        await system.until_ready()
    await system.until_idle("memory")
    assert (await memory.stats("u")).live == 1
    assert await system.broker.is_empty(suspect_queue("memory"))


async def test_an_outage_says_nothing_against_a_suspect(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """A sink that passes its health check and takes nothing: the suspect waits, once, and is applied."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("apply", error=SinkUnavailable("the disk is full"))
    suspect = store("suspect")
    await system.broker.publish(message(suspect), exchange="", routing_key=suspect_queue("memory"))
    await wait_until(lambda: len(failing.batches) > POISON_AFTER + 2, "it was tried again and again")
    failing.heal()

    async def is_applied() -> bool:
        return (await memory.stats("u")).live == 1

    await wait_until(is_applied, "it is applied")
    await wait_until(lambda: system.broker.is_empty(suspect_queue("memory")), "no copy of it is left")
    assert await system.broker.is_empty(dead_queue("memory"))


async def test_whoever_waits_hears_that_it_is_poison(
    start_system: StartSystem, memory: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of everything else that is parked; and all workers hear of it."""
    system = await start_system(memory, roles=[LANE])
    monkeypatch.setattr(Suspicion, "times_back", lambda *_: SUSPECT_AFTER)
    async with system.client() as client:
        receipt = await client.store("u", "k", 1, wait={"memory"})
    told = receipt.sinks["memory"]
    assert told is not None
    assert told.decision == "parked"
    assert f"ended {SUSPECT_AFTER} times" in (told.reason or "")
    standing = (await standings_now(system.broker.connection))["memory"]
    assert standing.poison == {receipt.version}


async def _until_applied(sqlite: SqliteSink, commands: list[AnyCommand]) -> None:
    async with sqlite:

        async def has_all() -> bool:
            return (await sqlite.stats("u")).live == len(commands)

        await wait_until(has_all, f"{len(commands)} entries are there", _PATIENCE)
