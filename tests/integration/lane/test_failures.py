"""A sink that fails: whose fault it is decides what happens, and nobody else is hurt."""

import asyncio
from datetime import timedelta

from structlog.testing import capture_logs

from memlane.contracts import headers
from memlane.contracts.topology import dead_queue, lane_queue, retry_queue
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.memory import FailingSink, MemorySink
from tests.integration.conftest import StartSystem
from tests.support.broker import Depth
from tests.support.commands import message, store
from tests.support.system import LANE, System
from tests.support.waiting import wait_until


async def until_parked(system: System, messages: int = 1) -> None:
    """Waits until so many messages are in the dead-letter queue."""
    await wait_until(
        lambda: system.broker.holds(dead_queue("memory"), messages), f"{messages} messages are parked"
    )


async def test_a_poisonous_command_is_found_and_its_neighbours_are_applied_once(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """The batch is halved until the culprit is alone; each neighbour was applied in one call only."""
    system = await start_system(failing, roles=[LANE])
    commands = [store(f"k{n}") for n in range(20)]
    failing.poison(commands[13].id)
    await system.broker.publish(message(*commands))
    await until_parked(system)
    (parked,) = await system.broker.parked("memory")
    assert parked.body == message(commands[13])
    assert (await memory.stats("u")).live == 19
    assert memory.state.changes == 5  # 10 and 5 and 2 and 1 and 1 of them, by halving


async def test_a_failing_command_is_tried_again_and_then_parked_with_the_count(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """Once at first and once after each delay; then it is parked with the last error."""
    system = await start_system(failing, roles=[LANE])
    command = store()
    failing.poison(command.id, ValueError("a fault of its own"))
    await system.broker.publish(message(command))
    await until_parked(system)
    (parked,) = await system.broker.parked("memory")
    assert failing.batches == [[command.id]] * 3
    assert (parked.attempts, parked.error_class, parked.error_text) == (3, "ValueError", "a fault of its own")
    assert parked.body == message(command)
    assert parked.headers[headers.ORIGIN_LANE] == "memory"
    assert str(parked.headers[headers.FIRST_SEEN]).endswith("Z")


async def test_a_passing_fault_is_gone_by_the_next_try(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """What succeeds at a later try is applied, and nothing is parked."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("apply", error=ValueError("just now"), times=1)
    await system.broker.publish(message(store()))
    await system.until_applied("memory", 2)
    assert (await memory.stats("u")).live == 1
    assert await system.broker.depth(dead_queue("memory")) == Depth(0, 0)


async def test_a_command_that_waits_for_its_next_try_holds_up_nobody(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """Others are applied meanwhile."""
    system = await start_system(failing, roles=[LANE], retry_delays=("PT60S",))
    command = store("slow")
    failing.poison(command.id)
    await system.broker.publish(message(command))
    queue = retry_queue("memory", timedelta(seconds=60))
    await wait_until(lambda: system.broker.holds(queue, 1), "it waits for its next try")
    await system.broker.publish(message(store("quick")))
    await system.until_applied("memory", 2)
    assert (await memory.stats("u")).live == 1


async def test_what_a_sink_can_never_take_is_parked_at_once(start_system: StartSystem) -> None:
    """Without a retry, with the sink's reason; a refused row is kept, so that status shows it."""
    small = MemorySink(max_value_bytes=10)
    system = await start_system(small, roles=[LANE])
    big = store("big", "x" * 100)
    await system.broker.publish(message(big, store("small", "x")))
    await until_parked(system)
    (parked,) = await system.broker.parked("memory")
    assert parked.error_class == "RefusedBySink"
    assert "at most 10" in parked.error_text
    assert parked.body == message(big)
    stats = await small.stats("u")
    assert (stats.live, stats.refused) == (1, 1)


async def test_a_refused_command_that_grew_is_parked_all_the_same(start_system: StartSystem) -> None:
    """Numbers such as 1e9 take more room in canonical form: more than a message may hold."""
    small = MemorySink(max_value_bytes=10)
    system = await start_system(small, roles=[LANE])
    value = b"[" + b",".join([b"1e15"] * 150_000) + b"]"
    body = (
        b'{"schema":1,"commands":['
        + message(store("other", 1))[len(b'{"schema":1,"commands":[') : -2]
        + b","
        + message(store("grown", "VALUE"))[len(b'{"schema":1,"commands":[') : -2].replace(b'"VALUE"', value)
        + b"]}"
    )
    await system.broker.publish(body)
    await until_parked(system)
    await system.broker.publish(message(store("next", 1)))
    await system.until_applied("memory", 3)
    (parked,) = await system.broker.parked("memory")
    assert parked.error_class == "RefusedBySink"
    assert parked.body == body


async def test_a_failing_command_that_grew_is_tried_again_all_the_same(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """The whole message goes through the retry queues instead; its good commands are applied again."""
    system = await start_system(failing, roles=[LANE])
    grown = store("grown", "VALUE")
    failing.poison(grown.id)
    value = b"[" + b",".join([b"1e15"] * 150_000) + b"]"
    await system.broker.publish(message(store("other"), grown).replace(b'"VALUE"', value))
    await until_parked(system)
    assert (await memory.stats("u")).live == 1
    assert system.is_running(system.lane)


async def test_a_sink_that_is_down_burns_no_retry(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """The lane says so and waits; what it had in hand is back in the queue; then it goes on by itself."""
    system = await start_system(failing, roles=[LANE])
    failing.go_down()
    for n in range(10):
        await system.broker.publish(message(store(f"k{n}")))
    await wait_until(lambda: "the backend is down" in system.lane.state.reason, "the lane says why")
    assert system.lane.state.condition == "waiting"
    await wait_until(lambda: system.broker.holds(lane_queue("memory"), 10), "all is back in the queue")
    failing.heal()
    await system.until_applied("memory", 10)
    assert (await memory.stats("u")).live == 10
    assert system.lane.state.ready
    for queue in (dead_queue("memory"), *(retry_queue("memory", d) for d in system.settings.retry_delays)):
        assert await system.broker.is_empty(queue)


async def test_a_sink_that_is_down_at_start_is_waited_for(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """Until its health check succeeds, nobody consumes its queue."""
    failing.fail("health", error=SinkUnavailable("not yet"))
    system = await start_system(failing, roles=[LANE], ready=False)
    await system.broker.publish(message(store()))
    await wait_until(lambda: system.lane.state.condition == "waiting", "the lane waits")
    assert await system.broker.depth(lane_queue("memory")) == Depth(1, 0)
    failing.heal()
    await system.until_applied("memory", 1)


async def test_a_sink_that_only_seems_well_is_not_fed_again_and_again(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """A full disk passes the health check and takes no batch: each try waits longer than the one before.

    Every redelivery counts against the queue's delivery limit, behind which a command is lost from sight.
    """
    system = await start_system(failing, roles=[LANE], probe_interval="PT0.1S")
    failing.fail("apply", error=SinkUnavailable("the disk is full"))
    await system.broker.publish(message(store()))
    loop = asyncio.get_running_loop()
    await wait_until(lambda: failing.calls["apply"] >= 1, "it is tried")
    first = loop.time()
    await wait_until(lambda: failing.calls["apply"] >= 4, "it is tried three times more")
    assert loop.time() - first > 0.1 + 0.2 + 0.4 - 0.05
    failing.heal()
    await system.until_applied("memory", 1)
    assert await system.broker.is_empty(dead_queue("memory"))


async def test_an_idle_lane_notices_that_its_sink_is_down(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """Without a command to fail at: whoever asks whether the system is ready learns of it."""
    system = await start_system(failing, roles=[LANE])
    failing.go_down()
    await wait_until(lambda: system.lane.state.condition == "waiting", "the lane says that it waits")
    failing.heal()
    await system.until_ready(system.lane)


async def test_a_busy_sink_is_tried_again_at_once(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """A lock that is held for a moment costs no way through a retry queue, and no halving."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("apply", error=SinkBusy("locked"), times=2)
    commands = [store("a"), store("b")]
    await system.broker.publish(message(*commands))
    await system.until_applied("memory", 2)
    assert failing.batches == [[command.id for command in commands]] * 3
    assert (await memory.stats("u")).live == 2


async def test_a_sink_that_stays_busy_pauses_the_lane(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """However long that lasts: nothing is at fault in its commands, so none is retried or parked for it."""
    system = await start_system(failing, roles=[LANE], retry_delays=("PT0.01S",))
    failing.fail("apply", error=SinkBusy("locked"))
    commands = [store("a"), store("b")]
    await system.broker.publish(message(*commands))
    await wait_until(lambda: len(failing.batches) > 6, "it was tried again, and again after a pause")
    await wait_until(lambda: "locked" in system.lane.state.reason, "it says why it waits")
    failing.heal()
    await wait_until(lambda: _holds(memory, 2), "both are applied")
    assert failing.batches == [[command.id for command in commands]] * len(failing.batches)
    assert await system.broker.is_empty(dead_queue("memory"))


async def test_what_was_applied_although_the_answer_was_lost_is_applied_again_in_vain(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """A sink that breaks off after the commit gets the batch twice; the second time changes nothing."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("apply", error=SinkUnavailable("gone after the commit"), times=1, after=True)
    await system.broker.publish(message(store()))
    await system.until_applied("memory", 1)
    assert len(failing.batches) == 2
    assert memory.state.changes == 1


async def test_no_value_is_logged(start_system: StartSystem, failing: FailingSink) -> None:
    """Whatever goes wrong with a command, its content stays out of the log."""
    with capture_logs() as lines:
        system = await start_system(failing, roles=[LANE])
        command = store("k", "a secret")
        failing.poison(command.id)
        await system.broker.publish(message(command))
        await system.broker.publish(b"a secret")
        await until_parked(system, 2)
    assert lines
    assert "a secret" not in str(lines)


async def _holds(sink: MemorySink, live: int) -> bool:
    return (await sink.stats("u")).live == live


async def test_a_health_check_that_breaks_off_is_an_outage(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """Whatever it raises, also while there is nothing to do: the lane waits, and goes on by itself."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("health", error=RuntimeError("nobody knows this one"))
    await wait_until(lambda: system.lane.state.condition == "waiting", "the lane waits")
    assert "nobody knows" not in system.lane.state.reason
    await system.broker.publish(message(store()))
    failing.heal()
    await system.until_ready()
    await system.until_idle("memory")
    assert (await memory.stats("u")).live == 1


async def test_a_sink_that_is_broken_for_everything_is_an_outage(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink
) -> None:
    """Where its health check fails as well, an unknown error is no command's fault: nothing is retried."""
    system = await start_system(failing, roles=[LANE])
    failing.fail("apply", error=RuntimeError("the library is gone"))
    failing.fail("health", error=SinkUnavailable("the library is gone"))
    commands = [store(f"k{n}") for n in range(5)]
    await system.broker.publish(message(*commands))
    await wait_until(lambda: system.lane.state.condition == "waiting", "the lane waits")
    failing.heal()
    await system.until_ready()
    await system.until_idle("memory")
    assert (await memory.stats("u")).live == 5
    assert await system.broker.is_empty(dead_queue("memory"))
