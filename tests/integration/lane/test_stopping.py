"""A lane that ends, in good order or not, leaves nothing half done and loses nothing."""

import asyncio
from datetime import timedelta

from memlane.contracts.topology import dead_queue, lane_queue
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sqlite import SqliteSink
from memlane.workers.lane import Lane
from tests.integration.conftest import StartSystem
from tests.support.broker import Depth
from tests.support.commands import message, store
from tests.support.proxy import network
from tests.support.system import LANE
from tests.support.waiting import wait_until


async def test_a_lane_that_is_stopped_finishes_what_it_has_in_hand(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """All that it has taken is applied and acked before it ends."""
    system = await start_system(failing, roles=[LANE])
    failing.slow(timedelta(milliseconds=50), "apply")
    for n in range(20):
        await system.broker.publish(message(store(f"k{n}")))
    await wait_until(lambda: bool(failing.batches), "it is at work")
    await wait_until(lambda: system.broker.is_empty(lane_queue("memory")), "it has taken all of them")
    await system.stop(system.lane)
    assert system.lane.state.condition == "stopped"
    assert (await memory.stats("u")).live == 20
    assert await system.broker.depth(lane_queue("memory")) == Depth(0, 0)


async def test_finishing_is_bounded(start_system: StartSystem, failing: FailingSink) -> None:
    """What is not done by then goes back to the queue."""
    system = await start_system(failing, roles=[LANE], drain_timeout="PT0.1S")
    failing.hang()
    await system.broker.publish(message(store()))
    await wait_until(lambda: bool(failing.batches), "it is at work")
    async with asyncio.timeout(2):
        await system.stop(system.lane)
    assert await system.broker.depth(lane_queue("memory")) == Depth(1, 0)


async def test_a_lane_that_is_killed_loses_nothing(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """In the middle of a batch: all that was not decided is delivered again, to the next one."""
    system = await start_system(failing, roles=[LANE], batch_commands=10)
    for n in range(100):
        await system.broker.publish(message(store(f"k{n}")))
        if n == 50:
            failing.hang()
    await wait_until(lambda: failing.calls["apply"] >= 2, "it is in the middle of a batch")
    await system.kill(system.lane)
    failing.heal()
    system.populate([failing], [LANE])
    await wait_until(lambda: _live(memory, 100), "everything is applied")
    await system.stop(system.lane)
    assert await system.broker.depth(lane_queue("memory")) == Depth(0, 0)


async def test_a_kill_in_a_transaction_leaves_the_file_whole(
    start_system: StartSystem, sqlite: SqliteSink
) -> None:
    """SQLite has all of a batch or nothing; after a dozen kills everything is there once."""
    system = await start_system(sqlite, roles=[LANE])
    for n in range(40):
        await system.broker.publish(message(*(store(f"k{n}-{m}") for m in range(50))))
    for n in range(12):
        await asyncio.sleep(n / 1000)
        await system.kill(system.lanes["sqlite"])
        system.populate([sqlite], [LANE])
    await system.until_ready(system.lane)
    await wait_until(lambda: _live(sqlite, 2000), "everything is applied")
    stats = await sqlite.stats("u")
    assert stats.digest.count == 2000


async def test_only_what_is_decided_is_acked(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """A batch in the sink's hands is not acked by the batch before it."""
    system = await start_system(failing, roles=[LANE], batch_commands=1)
    await system.broker.publish(message(store("a")))
    await system.until_applied("memory", 1)
    failing.hang()
    for key in "bc":
        await system.broker.publish(message(store(key)))
    await wait_until(lambda: failing.calls["apply"] == 2, "the second one is in hand")
    await system.kill(system.lane)
    await wait_until(lambda: system.broker.holds(lane_queue("memory"), 2), "two are back")
    assert (await memory.stats("u")).live == 1


async def test_a_lane_can_be_stopped_while_its_sink_is_down(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """At once, although it waits for the sink."""
    failing.fail("health", error=SinkUnavailable("not yet"))
    system = await start_system(failing, roles=[LANE], ready=False, probe_interval="PT60S")
    await wait_until(lambda: system.lane.state.condition == "waiting", "it waits")
    async with asyncio.timeout(2):
        await system.stop(system.lane)


async def test_a_lane_can_be_stopped_while_the_broker_is_away(
    start_system: StartSystem, memory: MemorySink, broker_url: str
) -> None:
    """At once, although it tries to connect again and again."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(memory, roles=[LANE], url=url)
        await proxy.close()
        await wait_until(lambda: system.lane.state.condition == "waiting", "it waits")
        async with asyncio.timeout(2):
            await system.stop(system.lane)


async def test_lanes_of_one_queue_share_the_work(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """Both apply; each command counts once; when one is killed the other does the rest."""
    system = await start_system(failing, roles=[LANE], prefetch=5)
    first = system.lane
    failing.slow(timedelta(milliseconds=2), "apply")
    second = system.start(Lane(failing, system.settings))
    await system.until_ready(first, second)
    for n in range(100):
        await system.broker.publish(message(store(f"k{n}")))
    await wait_until(lambda: first.applied > 0 and second.applied > 0, "both have done something")
    await system.kill(second)
    await wait_until(lambda: _live(memory, 100), "everything is applied")
    await system.stop(first)
    assert await system.broker.depth(lane_queue("memory")) == Depth(0, 0)
    assert await system.broker.is_empty(dead_queue("memory"))


async def _live(sink: MemorySink | SqliteSink, count: int) -> bool:
    return (await sink.stats("u")).live == count
