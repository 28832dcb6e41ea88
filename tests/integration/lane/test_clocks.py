"""Whose clock is wrong is found out by how many are ahead."""

from datetime import timedelta
from typing import Final

from structlog.testing import capture_logs

from memlane.contracts.topology import dead_queue, lane_queue
from memlane.storage.memory import MemorySink
from memlane.workers.lane.lane import PAUSE
from tests.integration.conftest import StartSystem
from tests.support.broker import Depth
from tests.support.commands import message, store
from tests.support.system import LANE
from tests.support.waiting import SOON, wait_until

AHEAD: Final = timedelta(minutes=6)


async def test_one_producer_ahead_has_a_wrong_clock(start_system: StartSystem, memory: MemorySink) -> None:
    """Its commands are parked, whatever their number, and leave no row; the lane serves the others."""
    system = await start_system(memory, roles=[LANE])
    for n in range(10):
        await system.broker.publish(message(store(f"k{n}", ahead=AHEAD)), app_id="wild", user_id="guest")
    await system.broker.publish(message(store()), app_id="good", user_id="guest")
    await system.until_applied("memory", 1)
    parked = await system.broker.parked("memory")
    assert {one.error_class for one in parked} == {"VersionFromFuture"}
    assert len(parked) == 10
    assert "set the producer's clock" in parked[0].error_text
    assert (await memory.stats(None)).digest.count == 1
    assert system.lane.state.ready


async def test_several_producers_ahead_mean_that_the_worker_is_behind(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """The lane pauses and says so; nothing is parked, and the queue is left to other workers."""
    system = await start_system(memory, roles=[])
    with capture_logs() as lines:
        for producer in ("one", "two", "three"):
            await system.broker.publish(message(store(ahead=AHEAD)), app_id=producer, user_id="guest")
        system.populate([memory], [LANE])
        await wait_until(lambda: system.lane.state.condition == "paused", "the lane pauses")
        await wait_until(lambda: system.broker.holds(lane_queue("memory"), 3), "all is back in the queue")
        await wait_until(lambda: any("this worker's clock" in str(line) for line in lines), "it is logged")
    assert "this worker's clock" in system.lane.state.reason
    assert await system.broker.depth(lane_queue("memory")) == Depth(3, 0)
    assert await system.broker.is_empty(dead_queue("memory"))


async def test_a_paused_lane_stops_at_once(start_system: StartSystem, memory: MemorySink) -> None:
    """It does not wait for the end of its pause, which is longer than `stop` is patient."""
    system = await start_system(memory, roles=[])
    for producer in ("one", "two"):
        await system.broker.publish(message(store(ahead=AHEAD)), app_id=producer)
    system.populate([memory], [LANE])
    await wait_until(lambda: system.lane.state.condition == "paused", "the lane pauses")
    assert SOON < PAUSE
    await system.stop(system.lane)
    assert system.lane.state.condition == "stopped"


async def test_what_is_retried_says_nothing_about_clocks(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """Commands of several producers, parked for their clocks, that come again: they are parked again."""
    system = await start_system(memory, roles=[LANE])
    for producer in ("one", "two", "three"):
        await system.broker.publish(
            message(store(ahead=AHEAD)), app_id=producer, headers={"first-seen": "2026-01-01T00:00:00Z"}
        )
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 3), "all are parked")
    assert system.lane.state.ready


async def test_a_version_a_little_ahead_is_taken(start_system: StartSystem, memory: MemorySink) -> None:
    """Clocks differ: up to five minutes are allowed."""
    system = await start_system(memory, roles=[LANE])
    await system.broker.publish(message(store(ahead=timedelta(minutes=4, seconds=50))))
    await system.until_applied("memory", 1)
    assert (await memory.stats("u")).live == 1
