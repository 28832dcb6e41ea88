"""status and dead list: how it is, and what could not be applied."""

import asyncio
import json
import signal

from memlane.contracts.topology import dead_queue
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Shell, wait_for
from tests.support.broker import connected_broker
from tests.support.commands import message, raw_message, raw_store, store


def test_a_system_that_works_is_healthy(system: Shell, user: str) -> None:
    """With what each sink holds, and whether they agree."""
    system.run("store", user, "k", "v", "--wait", "all")
    done = system.run("status")
    assert done.code == 0, done.out
    assert [row[:2] for row in done.rows[:2]] == [["redis", "ok"], ["sqlite", "ok"]]
    assert done.rows[0][7] == done.rows[1][7], "the digests"
    assert done.out.splitlines()[2].startswith("healthy, the sinks agree; RabbitMQ at 127.0.0.1:")

    (record,) = system.run("status", "--json").records
    assert record["healthy"] is True
    assert record["agree"] is True
    assert record["sinks"]["sqlite"]["backlog"] == 0
    assert record["sinks"]["sqlite"]["lane_consumers"] == 1
    assert record["aggregators"] == 1


def test_watching_goes_on_until_ctrl_c(system: Shell) -> None:
    """A line of JSON each time."""
    with system.start("status", "--watch", "--interval", "100ms", "--json") as process:
        assert process.stdout is not None
        seen = [json.loads(process.stdout.readline()) for _ in range(3)]
        process.send_signal(signal.SIGINT)
        process.communicate()
    assert [state["healthy"] for state in seen] == [True] * 3
    assert process.returncode == 130


def test_a_system_that_is_not_up_is_unhealthy(shell: Shell) -> None:
    """What waits in the queues is shown all the same."""
    assert shell.run("topology", "apply").code == 0
    assert shell.run("store", "u", "k", "v").code == 0
    done = shell.run("status", "--json", "--deadline", "500ms")
    assert done.code == 1, done.err
    (record,) = done.records
    assert record["healthy"] is False
    assert record["sinks"]["sqlite"]["backlog"] == 1
    assert 0 < record["sinks"]["sqlite"]["lag_seconds"] < 600
    assert any("no aggregator answers" in problem for problem in record["problems"])
    assert any("nobody takes sqlite's commands" in problem for problem in record["problems"])


def test_a_system_that_was_never_up_has_no_queues(shell: Shell) -> None:
    """And says how to get them."""
    done = shell.run("status", "--deadline", "300ms")
    assert done.code == 1
    assert "problem: sqlite has no queue (memlane topology apply)" in done.out


async def test_what_is_parked_is_shown_with_its_reason_and_stays(make_shell: MakeShell) -> None:
    """Never with its value unless asked for; copies once."""
    shell = make_shell()
    assert shell.run("topology", "apply").code == 0
    async with connected_broker(shell.place.servers.amqp_url) as broker:
        headers = {
            "attempt": 4, "first-seen": "2026-01-01T00:00:00.000000Z", "error-class": "RefusedBySink",
            "error-text": "too large for it", "origin-lane": "sqlite",
        }  # fmt: skip
        parked = store("k", "a secret", namespace="home")
        for body in (message(parked), message(parked), raw_message(raw_store(importance=99)), b"{"):
            await broker.publish(body, exchange="", routing_key=dead_queue("sqlite"), headers=headers)
        assert await broker.holds(dead_queue("sqlite"), 4)

    first = shell.run("dead", "list", "sqlite")
    assert first.code == 0, first.err
    assert "secret" not in first.out
    row = [
        "2026-01-01T00:00:00.000000Z",
        "RefusedBySink",
        "4",
        "2",
        "store u:home/k",
        parked.id,
        "too large for it",
    ]
    assert first.rows[0] == row
    assert [row[4] for row in first.rows[1:]] == ["bad store u:k", "unreadable"]
    assert first.rows[2][5].startswith("message-"), "what has no version has a name"

    again = shell.run("dead", "list", "sqlite", "--show-values", "--json")
    assert [record["copies"] for record in again.records] == [2, 1, 1]
    assert again.records[0]["commands"][0]["value"] == '"a secret"'

    some = shell.run("dead", "list", "sqlite", "--limit", "1")
    assert len(some.rows) == 1
    assert some.err == "3 messages of that kind, the oldest 1 shown: raise --limit\n"


def test_bad_commands_end_up_there_by_themselves(system: Shell, user: str) -> None:
    """Parked, while the sinks go on; the status says so and is healthy."""

    async def send() -> None:
        async with connected_broker(system.place.servers.amqp_url) as broker:
            await broker.publish(raw_message(raw_store(user_id=user, importance=99)))

    asyncio.run(send())
    wait_for(lambda: user in system.run("dead", "list", "sqlite").out, "the command is parked")
    (row,) = (row for row in system.run("dead", "list", "sqlite").rows if user in row[4])
    assert row[1] == "InvalidInput"
    assert "importance" in row[6]
    done = system.run("status")
    assert done.code == 0
    assert "note: sqlite has " in done.out


def test_a_sink_without_a_queue_is_not_found(system: Shell) -> None:
    """Exit code 4."""
    nothing = system.run("dead", "list", "nosuch")
    assert nothing.code == 4
    assert "RabbitMQ has no queue memlane.nosuch.dead.v1" in nothing.err
