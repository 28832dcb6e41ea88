"""`memlane replay`: a stretch of the command log, once more, to one lane."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import pytest
from pamqp.common import FieldValue

from memlane.contracts.codec import encode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.topology import COMMANDS, LOG
from memlane.producers.broker.connection import connect
from memlane.producers.broker.lease import LeaseTaken
from memlane.producers.broker.standings import standings_now
from memlane.storage.conformance import asking
from memlane.storage.memory import MemorySink
from memlane.workers.replay import Replay, ReplayReport, Wanted
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker
from tests.support.commands import delete, delete_namespace, store
from tests.support.system import LANE, System
from tests.support.waiting import wait_until

_FIRST: Final = Wanted(begin="first")


@pytest.fixture
async def system(start_system: StartSystem, memory: MemorySink) -> System:
    """A lane, and what it applies to."""
    return await start_system(memory, roles=[LANE])


async def test_everything_from_the_first_command_on(
    system: System, memory: MemorySink, broker: Broker
) -> None:
    """A sink that was wiped holds the same as before; what was deleted stays deleted."""
    await publish(broker, *(store(f"k{n}", n) for n in range(1200)))
    await publish(broker, store("gone", namespace="a/b"), delete("k7"), delete_namespace("a"))
    await system.until_applied("memory", 1203)
    await asking.sweep(memory)
    before = await memory.digests()
    memory.wipe()
    report = await replay(system, _FIRST)
    await asking.sweep(memory)
    assert await memory.digests() == before
    assert (report.gap, report.resumed_at, report.progress.parked) == (False, None, 0)
    assert (await standings_now(broker.connection))["memory"].replaying is None


async def test_again_changes_nothing(system: System, memory: MemorySink, broker: Broker) -> None:
    """What is newer stays, and nothing comes back."""
    await publish(broker, store("k", "old"))
    await publish(broker, store("gone"))
    await publish(broker, store("k", "new"), delete("gone"))
    await system.until_applied("memory", 4)
    before, changes = await memory.digests(), memory.state.changes
    await replay(system, _FIRST)
    assert (await memory.digests(), memory.state.changes) == (before, changes)


async def test_a_stretch_by_offsets(system: System, memory: MemorySink, broker: Broker) -> None:
    """From the one on, up to and without the other."""
    for n in range(10):
        await publish(broker, store(f"k{n}", n))
    await system.until_applied("memory", 10)
    memory.wipe()
    await replay(system, Wanted(begin="3", until="6"))
    assert keys(memory) == ["k3", "k4", "k5"]


async def test_a_stretch_by_time(system: System, memory: MemorySink, broker: Broker) -> None:
    """An hour ago is before all of it; the future holds nothing."""
    await publish(broker, store("k"))
    await system.until_applied("memory", 1)
    memory.wipe()
    await replay(system, Wanted(begin="1h"))
    assert keys(memory) == ["k"]
    memory.wipe()
    tomorrow = datetime.now(UTC).replace(year=2100).isoformat()
    report = await replay(system, Wanted(begin=tomorrow))
    assert (keys(memory), report.progress.commands) == ([], 0)


async def test_a_bounded_rate(system: System, memory: MemorySink, broker: Broker) -> None:
    """It takes at least as long as the rate says."""
    for n in range(30):
        await publish(broker, *(store(f"k{n}-{m}", user=f"u{m}") for m in range(500)))
    await system.until_applied("memory", 15_000)
    memory.wipe()
    began = asyncio.get_running_loop().time()
    await replay(system, Wanted(begin="first", rate=10_000))
    # The last message is sent when all before it were due.
    assert asyncio.get_running_loop().time() - began > 14_000 / 10_000
    assert len(keys(memory)) == 15_000


async def test_a_run_that_was_killed_goes_on(system: System, memory: MemorySink, broker: Broker) -> None:
    """Where it was, when the same is asked for again; not where something else is, or --restart."""
    for n in range(60):
        await publish(broker, *(store(f"k{n}-{m}") for m in range(500)))
    await system.until_applied("memory", 30_000)
    before = await memory.digests()
    memory.wipe()
    # Takes fifteen seconds, and says every two how far it has come: it does not end before it is ended.
    running = asyncio.create_task(replay(system, Wanted(begin="first", rate=2000)))
    await wait_until(lambda: _has_come_to(broker, 1), "it is said how far it has come")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    report = await replay(system, _FIRST)
    assert report.resumed_at is not None
    assert report.resumed_at >= 10
    assert report.progress.commands <= 30_000 - 5000
    assert await memory.digests() == before
    assert (await replay(system, _FIRST)).resumed_at is None


async def test_a_second_run_at_once_is_refused(system: System, broker: Broker) -> None:
    """Whoever does it has a lease."""
    for n in range(3):
        await publish(broker, *(store(f"k{n}-{m}") for m in range(500)))
    running = asyncio.create_task(replay(system, Wanted(begin="first", rate=500)))
    await wait_until(lambda: _is_replaying(broker), "the first one has begun")
    with pytest.raises(LeaseTaken, match=r"rebuild\.memory"):
        await replay(system, _FIRST)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_log_whose_beginning_was_cut_off_has_a_gap(
    system: System, memory: MemorySink, broker: Broker
) -> None:
    """What there is, is replayed, and the gap is told of; not where nothing is asked for that was cut off."""
    await _with_a_short_log(broker)
    for n in range(60):
        await publish(broker, store(f"k{n}", "x" * 5000))
    await system.until_applied("memory", 60)
    memory.wipe()
    report = await replay(system, _FIRST)
    assert report.gap
    assert report.progress.first_offset
    assert 0 < len(keys(memory)) < 60
    last = report.progress.end_offset
    assert last is not None
    assert not (await replay(system, Wanted(begin=str(last - 1)))).gap


@pytest.mark.parametrize("begin", ["", "yesterday", "-1", "1.5", "2026-01-01", "²", "9999999999999d"])
async def test_what_is_no_place_in_the_log_is_refused(system: System, begin: str) -> None:
    """With what can be said instead."""
    with pytest.raises(InvalidInput, match="no place in the log") as caught:
        await replay(system, Wanted(begin=begin))
    assert "first" in caught.value.hint


async def replay(system: System, wanted: Wanted) -> ReplayReport:
    """On a connection of its own."""
    async with await connect(system.url, "test replay") as connection:
        return await Replay("memory", wanted, system.settings).run(connection)


async def publish(broker: Broker, *commands: AnyCommand) -> None:
    """In messages of 500."""
    for start in range(0, len(commands), 500):
        await broker.publish(encode_message(commands[start : start + 500]))


def keys(memory: MemorySink) -> list[str]:
    """Of all rows."""
    return sorted(address.key for of_user in memory.state.rows.values() for address in of_user)


async def _with_a_short_log(broker: Broker) -> None:
    """The log's stream anew, with a retention that a test can reach."""
    await broker.channel.queue_delete(LOG)
    arguments: dict[str, FieldValue] = {
        "x-queue-type": "stream",
        "x-max-length-bytes": 50_000,
        "x-stream-max-segment-size-bytes": 20_000,
    }
    await broker.channel.queue_declare(LOG, durable=True, arguments=arguments)
    await broker.channel.queue_bind(LOG, COMMANDS)


async def _is_replaying(broker: Broker) -> bool:
    return (await standings_now(broker.connection))["memory"].replaying is not None


async def _has_come_to(broker: Broker, offset: int) -> bool:
    replaying = (await standings_now(broker.connection))["memory"].replaying
    return replaying is not None and (replaying.offset or 0) >= offset
