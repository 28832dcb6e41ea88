"""A lane applies what it is sent, in batches, and acks it."""

import asyncio
import random
from datetime import timedelta

from memlane.contracts.command import AnyCommand
from memlane.contracts.topology import LOG, dead_queue, lane_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.redis import RedisSink
from memlane.storage.sqlite import SqliteSink
from memlane.testing.servers import RedisServer
from tests.integration.conftest import StartSystem
from tests.support.commands import delete, delete_namespace, forget, message, store
from tests.support.system import LANE
from tests.support.waiting import wait_until


async def test_what_is_published_is_applied_and_acked(start_system: StartSystem, memory: MemorySink) -> None:
    """Afterwards the sink holds it and the queue holds nothing, not even after the lane has gone."""
    system = await start_system(memory, roles=[LANE])
    for n in range(50):
        await system.broker.publish(message(store(f"k{n}", n)))
    await system.until_applied("memory", 50)
    await system.stop(system.lane)
    assert (await memory.stats("u")).live == 50
    assert await system.broker.depth(lane_queue("memory")) == (0, 0)
    assert await system.broker.depth(dead_queue("memory")) == (0, 0)


async def test_a_backlog_is_applied_in_batches(start_system: StartSystem, failing: FailingSink) -> None:
    """What arrives while a batch is applied is the next one: many messages come to few calls."""
    system = await start_system(failing, roles=[])
    await asyncio.gather(*(system.broker.publish(message(store(f"k{n}"))) for n in range(400)))
    failing.slow(timedelta(milliseconds=50), "apply")
    system.populate([failing], [LANE])
    await system.until_applied("memory", 400)
    assert len(failing.batches) < 10


async def test_a_full_message_is_one_batch(start_system: StartSystem, failing: FailingSink) -> None:
    """All of its 500 commands go to the sink together."""
    system = await start_system(failing, roles=[LANE])
    await system.broker.publish(message(*(store(f"k{n}") for n in range(500))))
    await system.until_applied("memory", 500)
    assert [len(batch) for batch in failing.batches] == [500]


async def test_every_sink_gets_every_command(
    start_system: StartSystem, memory: MemorySink, sqlite: SqliteSink, redis_server: RedisServer
) -> None:
    """And all of them end up with the same digest."""
    redis = RedisSink(redis_server.url, prefix="every-sink")
    system = await start_system(memory, sqlite, redis, roles=[LANE])
    commands = [store(f"k{n}", {"n": n, "text": "naïve 🙂"}) for n in range(20)]
    commands_and_deletes: list[AnyCommand] = [
        *commands,
        delete("k3"),
        delete_namespace("a/b"),
        forget("somebody else"),
    ]
    await system.broker.publish(message(*commands_and_deletes))
    for sink in ("memory", "sqlite", "redis"):
        await system.until_applied(sink, len(commands_and_deletes))
    digests = [(await sink.stats(None)).digest for sink in (memory, sqlite, redis)]
    assert digests[0].count == 22
    assert digests == digests[:1] * 3


async def test_what_comes_twice_counts_once(start_system: StartSystem, memory: MemorySink) -> None:
    """The same message three times leaves what it leaves once."""
    system = await start_system(memory, roles=[LANE])
    body = message(store("a", 1), store("b", 2), delete("b"))
    for _ in range(3):
        await system.broker.publish(body)
    await system.until_applied("memory", 9)
    stats = await memory.stats("u")
    assert (stats.live, stats.deleted, stats.digest.count) == (1, 1, 2)


async def test_the_order_of_arrival_does_not_matter(
    start_system: StartSystem, memory: MemorySink, sqlite: SqliteSink
) -> None:
    """Stores and deletes in any order, some of them twice, come to the same in two sinks as in order."""
    system = await start_system(memory, sqlite, roles=[LANE])
    commands = [delete(f"k{n % 7}") if n % 5 == 4 else store(f"k{n % 7}", n) for n in range(40)]
    expected = MemorySink()
    async with expected:
        await expected.apply(commands, system.lanes["memory"]._now())
        wanted = (await expected.stats("u")).digest
    shuffled = commands + commands[::3]
    random.shuffle(shuffled)
    for command in shuffled:
        await system.broker.publish(message(command))
    for sink in (memory, sqlite):
        await system.until_applied(sink.name, len(shuffled))
        assert (await sink.stats("u")).digest == wanted


async def test_an_older_store_does_not_bring_back_what_was_deleted(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """It arrives after the delete; a newer one takes effect."""
    system = await start_system(memory, roles=[LANE])
    older, gone, newer = store("a", "older"), delete("a"), store("b", "newer")
    await system.broker.publish(message(gone))
    await system.broker.publish(message(older, newer))
    await system.until_applied("memory", 3)
    stats = await memory.stats("u")
    assert (stats.live, stats.deleted) == (1, 1)


async def test_the_command_log_keeps_what_all_lanes_get(
    start_system: StartSystem, memory: MemorySink
) -> None:
    """One message reaches the stream and the lanes."""
    system = await start_system(memory, roles=[])
    await system.broker.publish(message(store()))
    assert await system.broker.holds(lane_queue("memory"), 1)
    await wait_until(lambda: system.broker.holds(LOG, 1), "the log has it")
