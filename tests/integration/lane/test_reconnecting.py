"""A lane that loses the broker comes back by itself, once, and loses nothing."""

import asyncio
from datetime import timedelta
from pathlib import Path

from memlane.contracts.topology import dead_queue, lane_queue, retry_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.testing.servers import RabbitMQServer
from tests.integration.conftest import StartSystem
from tests.support.broker import Depth, connected_broker
from tests.support.commands import message, store
from tests.support.proxy import network
from tests.support.system import LANE, running_system
from tests.support.waiting import wait_until


async def test_a_lane_comes_back_after_its_connections_were_cut(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink, broker_url: str
) -> None:
    """Again and again, in the middle of its work: everything is applied, and it consumes once."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(failing, roles=[LANE], url=url, batch_commands=5)
        failing.slow(timedelta(milliseconds=2), "apply")
        for n in range(120):
            await system.broker.publish(message(store(f"k{n}")))
            if n % 40 == 20:
                proxy.cut()
        await wait_until(lambda: _live(memory, 120), "everything is applied")
        await system.until_ready()
        assert await system.broker.depth(lane_queue("memory")) == Depth(0, 1)
        await system.stop(system.lane)
        assert await system.broker.depth(lane_queue("memory")) == Depth(0, 0)
        assert await system.broker.is_empty(dead_queue("memory"))


async def test_a_lane_says_that_the_broker_is_away(
    start_system: StartSystem, memory: MemorySink, broker_url: str
) -> None:
    """Where it is, but not with which password; and it runs again when the broker is back."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(memory, roles=[LANE], url=url)
        await proxy.close()
        await wait_until(
            lambda: f"127.0.0.1:{proxy.port}" in system.lane.state.reason, "it says where nothing answers"
        )
        assert system.lane.state.condition == "waiting"
        assert "guest" not in system.lane.state.reason
        await proxy.open()
        await system.until_ready()
        await system.broker.publish(message(store()))
        await system.until_applied("memory", 1)


async def test_a_lost_confirm_of_a_retry_loses_nothing(
    start_system: StartSystem, failing: FailingSink, broker_url: str
) -> None:
    """The connection breaks while a failed command is put away: the original comes again."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(failing, roles=[LANE], url=url, retry_delays=("PT60S",))
        command = store()
        failing.poison(command.id)
        failing.slow(timedelta(milliseconds=100), "apply")
        await system.broker.publish(message(command))
        await wait_until(lambda: bool(failing.batches), "it is being applied")
        proxy.freeze_answers()
        queue = retry_queue("memory", timedelta(seconds=60))
        await wait_until(lambda: system.broker.holds(queue, 1), "it is in the retry queue, unconfirmed")
        proxy.cut()
        proxy.thaw()
        await wait_until(lambda: system.broker.holds(queue, 2), "it was put away again")
        await wait_until(lambda: system.broker.is_empty(lane_queue("memory")), "the original is acked")


async def test_a_missing_retry_queue_pauses_the_lane(start_system: StartSystem, failing: FailingSink) -> None:
    """What can't be put away is not acked; the lane says what is missing, lets go of the queue, and lives."""
    system = await start_system(failing, roles=[LANE])
    command = store()
    failing.poison(command.id)
    await system.broker.channel.queue_delete(retry_queue("memory", system.settings.retry_delays[0]))
    await system.broker.publish(message(command))
    await wait_until(lambda: system.lane.state.condition == "paused", "it pauses")
    assert "memlane.memory.retry.50ms.v1" in system.lane.state.reason
    assert await system.broker.depth(lane_queue("memory")) == Depth(1, 0)


async def test_a_broker_that_restarts_loses_nothing(
    fragile_rabbitmq: RabbitMQServer, failing: FailingSink, memory: MemorySink, tmp_path: Path
) -> None:
    """What was confirmed before the restart is applied after it; one consumer is back."""
    async with (
        connected_broker(fragile_rabbitmq.url) as broker,
        running_system(broker, [failing], tmp_path, roles=[LANE], batch_commands=10) as system,
    ):
        failing.slow(timedelta(milliseconds=5), "apply")
        for n in range(200):
            await broker.publish(message(store(f"k{n}")))
        await wait_until(lambda: system.lane.applied > 0, "it is at work")
        await asyncio.to_thread(fragile_rabbitmq.restart)
        await wait_until(lambda: _live(memory, 200), "everything is applied", timedelta(seconds=30))
        await system.until_ready()
        await broker.connect()
        assert await broker.depth(lane_queue("memory")) == Depth(0, 1)


async def _live(sink: MemorySink, count: int) -> bool:
    return (await sink.stats("u")).live == count
