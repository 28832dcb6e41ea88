"""dead show, retry, drop: what is parked goes back, or away, and nothing else is touched."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from memlane.contracts.command import AnyCommand
from memlane.contracts.instants import now
from memlane.contracts.topology import dead_queue, lane_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.storage.sink import Sink
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Done, Shell
from tests.support.broker import Broker, connected_broker, declare
from tests.support.commands import message, store
from tests.support.system import LANE, System, running_system
from tests.support.waiting import wait_until

DEAD = dead_queue("memory")
WRITES = lane_queue("memory")
FIRST_SEEN = "2026-01-01T00:00:00.000000Z"
PARKED: dict[str, Any] = {
    "attempt": 4, "first-seen": FIRST_SEEN, "error-class": "RefusedBySink", "error-text": "too large",
    "origin-lane": "memory", "principal": "bot", "traceparent": "00-a-b-01", "on_behalf_of": "alice",
}  # fmt: skip


class Bench:
    """A shell and the broker that its commands work on; with a lane where a test starts one."""

    def __init__(self, shell: Shell, broker: Broker) -> None:
        self.shell = shell
        self.broker = broker

    async def dead(self, verb: str, *arguments: str) -> Done:
        """Runs `memlane dead VERB memory …`."""
        return await asyncio.to_thread(self.shell.run, "dead", verb, "memory", *arguments)

    # Any: headers as AMQP has them.
    async def park(self, *bodies: bytes, headers: dict[str, Any] | None = None) -> None:
        """As a lane does it."""
        said: dict[str, Any] = {"headers": headers or PARKED, "reply_to": "amq.rabbitmq.reply-to.x"}
        said |= {"correlation_id": "7", "user_id": "guest"}
        publish = self.broker.publish
        await asyncio.gather(*(publish(body, exchange="", routing_key=DEAD, **said) for body in bodies))

    async def until_parked(self, count: int) -> None:
        """Waits until so many messages are in the dead-letter queue."""
        await wait_until(lambda: self.broker.holds(DEAD, count), f"{count} are parked")

    def lane(self, sink: Sink) -> Any:  # Any: the context manager of a `System`
        """A lane into a sink."""
        folder = self.shell.place.folder / "state"
        return running_system(self.broker, [sink], folder, roles=[LANE])


@pytest.fixture
async def bench(make_shell: MakeShell) -> AsyncIterator[Bench]:
    """Queues, and nobody who works on them."""
    shell = make_shell().having(MEMLANE_SINKS="memory")
    async with connected_broker(shell.place.servers.amqp_url) as broker:
        await declare(broker, ["memory"])
        yield Bench(shell, broker)


async def test_what_a_mended_sink_takes_is_applied_when_it_is_retried(bench: Bench) -> None:
    """Refused before, with the reason shown; then by the class of error."""
    memory = MemorySink()
    failing = FailingSink(memory)
    commands: list[AnyCommand] = [store(f"k{n}", f"value {n}") for n in range(3)]
    system: System
    async with bench.lane(failing) as system:
        for command in commands:
            failing.poison(command.id)
            await bench.broker.publish(message(command), headers={"traceparent": "00-a-b-01"})
        await bench.until_parked(3)
        shown = await bench.dead("show", commands[1].id)
        assert shown.code == 0, shown.err
        said = dict(row for row in shown.rows if len(row) == 2)
        assert said["error"] == "ValueError"
        assert said["tries"] == "3"
        assert commands[1].id in said["reason"]
        assert '"value":"value 1"' in said["body"]

        for command in commands:
            failing.cure(command.id)
        done = await bench.dead("retry", "--error", "ValueError")
        assert done.code == 0, done.err
        assert done.out.startswith("retried 3 messages with 3 commands, of 3 parked for memory")
        await system.until_applied("memory", 3)
        assert (await memory.stats("u")).live == 3
        assert await bench.broker.is_empty(DEAD)


async def test_a_thousand_are_retried_as_if_they_came_for_the_first_time(bench: Bench) -> None:
    """Each once, copies included; nothing of the failure goes along, and nobody waits for a receipt."""
    bodies = [message(store(f"k{n}")) for n in range(1000)]
    await bench.park(*bodies, *bodies[:50])
    done = await bench.dead("retry", "--all", "--json")
    assert done.code == 0, done.err
    (record,) = done.records
    assert (record["messages"], record["commands"], record["copies"]) == (1000, 1000, 1050)
    assert record["errors"] == {"RefusedBySink": 1000}
    assert await bench.broker.is_empty(DEAD)
    retried = await bench.broker.take(WRITES)
    assert sorted(got.body for got in retried) == sorted(bodies)
    for got in retried:
        properties = got.header.properties
        found = {name: value for name, value in (properties.headers or {}).items() if name[:2] != "x-"}
        assert found == {
            "attempt": 0, "first-seen": FIRST_SEEN, "principal": "bot", "traceparent": "00-a-b-01",
            "on_behalf_of": "alice",
        }  # fmt: skip
        assert (properties.reply_to, properties.correlation_id) == (None, None)
        assert (properties.user_id, properties.delivery_mode) == ("guest", 2)


async def test_a_kill_in_the_middle_loses_nothing(bench: Bench) -> None:
    """Each command is still parked, or in the lane, or both; the same again brings the rest."""
    bodies = [message(store(f"k{n}")) for n in range(1000)]
    await bench.park(*bodies)

    async def under_way() -> bool:
        return (await bench.broker.depth(WRITES)).messages >= 100

    with bench.shell.start("dead", "retry", "memory", "--all", "--rate", "300") as process:
        await wait_until(under_way, "it is in the middle of it")
        process.kill()
        process.communicate()

    async def all_are_back() -> bool:
        depths = [(await bench.broker.depth(queue)).messages for queue in (DEAD, WRITES)]
        return sum(depths) >= len(bodies)

    await wait_until(all_are_back, "what was in its hands is back in the queue")
    between = {got.body for got in await bench.broker.take(WRITES)}
    assert 100 <= len(between) < len(bodies)
    done = await bench.dead("retry", "--all")
    assert done.code == 0, done.err
    assert await bench.broker.is_empty(DEAD)
    assert between | {got.body for got in await bench.broker.take(WRITES)} == set(bodies)


async def test_a_rate_is_kept(bench: Bench) -> None:
    """Commands a second."""
    await bench.park(*(message(store(f"k{n}")) for n in range(21)))
    (record,) = (await bench.dead("retry", "--all", "--rate", "20", "--json")).records
    assert record["messages"] == 21
    assert record["seconds"] >= 0.95


async def test_a_dry_run_changes_nothing(bench: Bench) -> None:
    """And says what would be done, also without anybody to ask."""
    one, other = store("one"), store("other")
    await bench.park(message(one), message(one), message(other))
    done = await bench.dead("retry", one.id, "--dry-run")
    assert done.code == 0, done.err
    what = "1 message with 1 command (2 with their copies) of 3 parked for memory"
    assert done.out == f"dry run: {what} would be retried; nothing was changed\n"
    (record,) = (await bench.dead("drop", "--all", "--dry-run", "--json")).records
    assert (record["dry_run"], record["messages"], record["copies"]) == (True, 2, 3)
    await bench.until_parked(3)
    assert await bench.broker.is_empty(WRITES)


async def test_ids_and_ages_select(bench: Bench) -> None:
    """What is not meant stays."""
    old, new, other = store("old"), store("new"), store("other")
    await bench.park(message(old), message(other))
    await bench.park(message(new), headers={**PARKED, "first-seen": "2999-01-01T00:00:00Z"})
    assert (await bench.dead("retry", "--newer-than", "1h")).code == 0
    assert [got.body for got in await bench.broker.take(WRITES)] == [message(new)]
    assert (await bench.dead("retry", "--older-than", "1h", "--limit", "1")).code == 0
    assert [got.body for got in await bench.broker.take(WRITES)] == [message(old)]
    assert (await bench.dead("drop", other.id, "--yes")).code == 0
    await bench.until_parked(0)
    assert await bench.broker.is_empty(WRITES)


async def test_commands_from_the_future_can_count_as_written_now(bench: Bench) -> None:
    """Retried as they are, they are parked again."""
    memory = MemorySink()
    command = store("k", "written by a wrong clock", ahead=timedelta(days=1))
    system: System
    async with bench.lane(memory) as system:
        await bench.broker.publish(message(command))
        await bench.until_parked(1)
        (before,) = await bench.broker.parked("memory")
        await bench.park(message(command), headers=dict(before.headers))
        assert (await bench.dead("retry", command.id)).code == 0
        await bench.until_parked(1)

        done = await bench.dead("retry", "--error", "VersionFromFuture", "--restamp")
        assert done.code == 0, done.err
        assert "1 of them with a new version" in done.out
        await system.until_applied("memory", 1)
        assert (await memory.stats("u")).live == 1
        assert await bench.broker.is_empty(DEAD)
        await bench.broker.publish(message(store("k", "written afterwards")))
        await system.until_applied("memory", 2)
        (fetched,) = await memory.fetch([command.address], now())
        assert fetched.entry is not None
        assert fetched.entry.value == "written afterwards"


async def test_a_malformed_message_is_shown_and_dropped_whole(bench: Bench) -> None:
    """By its name, as it has no version; a retry would send it as it came."""
    await bench.park(b"\xff{no json", headers={**PARKED, "error-class": "MalformedMessage"})
    (row,) = (await bench.dead("list")).rows
    name = row[5]
    (record,) = (await bench.dead("show", name, "--json")).records
    assert record["body"] == "\ufffd{no json"
    assert (record["principal"], record["published_by"]) == ("bot", "guest")
    assert (await bench.dead("retry", name)).code == 0
    (sent,) = await bench.broker.take(WRITES)
    assert sent.body == b"\xff{no json"
    await bench.park(sent.body)
    assert (await bench.dead("drop", name, "--yes")).code == 0
    await bench.until_parked(0)


async def test_of_several_commands_in_a_message_none_is_dropped_unasked(bench: Bench) -> None:
    """Such a message was parked by the broker itself, after too many deliveries."""
    one, other = store("one"), store("other")
    await bench.park(message(one, other))
    assert (await bench.dead("drop", one.id, "--yes")).code == 4
    assert (await bench.dead("drop", one.id, other.id, "--yes")).code == 0
    await bench.until_parked(0)


async def test_dropping_asks(bench: Bench) -> None:
    """A person; without one it wants --yes."""
    command = store()
    await bench.park(message(command))
    refused = await bench.dead("drop", "--all")
    assert refused.code == 2
    assert "say --yes" in refused.err
    arguments = ("dead", "drop", "memory", command.id)
    asked = await asyncio.to_thread(lambda: bench.shell.on_terminal(*arguments, typed=b"n\n"))
    assert "Drop 1 message of the 1 parked for memory?" in asked.out
    await bench.until_parked(1)
    asked = await asyncio.to_thread(lambda: bench.shell.on_terminal(*arguments, typed=b"y\n"))
    assert "dropped 1 message with 1 command" in asked.out
    await bench.until_parked(0)


async def test_every_way_to_end(bench: Bench) -> None:
    """2: nothing selected. 4: nothing like that. 5: no broker."""
    nothing = await bench.dead("retry")
    assert (nothing.code, "say --all" in nothing.err) == (2, True)
    assert (await bench.dead("retry", "--all", "--error", "X")).code == 2
    assert (await bench.dead("retry", "--all")).code == 4
    assert (await bench.dead("show", "no-such-id")).code == 4
    await bench.park(message(store()))
    assert (await bench.dead("drop", "--error", "Other", "--yes")).code == 4
    assert (await asyncio.to_thread(bench.shell.run, "dead", "retry", "nosuch", "--all")).code == 4
    away = bench.shell.having(MEMLANE_AMQP_URL="amqp://guest:guest@127.0.0.1:1/")
    gone = await asyncio.to_thread(away.run, "dead", "retry", "memory", "--all")
    assert gone.code == 5
    await bench.until_parked(1)


async def test_a_lane_that_is_gone_leaves_everything_parked(bench: Bench) -> None:
    """What can't be published does not leave the queue."""
    await bench.park(message(store()))
    await bench.broker.channel.queue_delete(WRITES)
    done = await bench.dead("retry", "--all")
    assert done.code == 1
    assert "the rest is still parked" in done.err
    await bench.until_parked(1)
