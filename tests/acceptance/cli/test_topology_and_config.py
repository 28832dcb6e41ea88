"""topology and config: what there should be, what there is, and which settings hold."""

from aiormq.abc import FieldTable as Arguments

from memlane.contracts.topology import lane_queue, topology
from tests.acceptance.conftest import MakeShell
from tests.acceptance.shell import Shell
from tests.support.broker import connected_broker


def test_the_topology_is_shown_made_and_checked(shell: Shell) -> None:
    """Shown without asking anybody; made once; found right afterwards."""
    wanted = topology(["sqlite", "redis"])
    names = [item.name for item in wanted.exchanges] + [item.name for item in wanted.queues]
    assert [record["name"] for record in shell.run("topology", "show", "--json").records] == names
    assert [row[0] for row in shell.run("topology", "show").rows] == names

    before = shell.run("topology", "check")
    assert before.code == 1
    assert before.out.splitlines() == [f"{name} is missing" for name in names]

    assert shell.run("topology", "apply", "--json").records == [{"made": names}]
    assert shell.run("topology", "apply").out == "everything was there\n"
    after = shell.run("topology", "check", "--json")
    assert (after.code, after.records) == (0, [{"ok": True, "problems": []}])


async def test_a_queue_with_other_arguments_is_named_with_the_argument(make_shell: MakeShell) -> None:
    """By `check`, by `apply`, and at the start of `up`: exit code 1, one line."""
    shell = make_shell()
    async with connected_broker(shell.place.servers.amqp_url) as broker:
        (lane,) = (queue for queue in topology(["sqlite"]).queues if queue.name == lane_queue("sqlite"))
        arguments: Arguments = {"x-queue-type": lane.kind, **lane.arguments, "x-delivery-limit": 7}
        await broker.channel.queue_declare(lane.name, durable=True, arguments=arguments)
    check = shell.run("topology", "check")
    assert check.code == 1
    (line,) = (line for line in check.out.splitlines() if "missing" not in line)
    assert lane_queue("sqlite") in line
    assert "x-delivery-limit" in line
    assert "received" in line, "which value is wanted"

    for command in (("topology", "apply"), ("up",)):
        done = shell.run(*command)
        assert done.code == 1, done
        told = done.err.splitlines()[-1]
        assert told.startswith(f"error: {lane_queue('sqlite')} exists with other arguments: ")
        assert "x-delivery-limit" in told
        assert "To do: drain and delete it" in told
        assert "Traceback" not in done.err


def test_a_check_changes_nothing(shell: Shell) -> None:
    """Also where only a part is there."""
    shell.having(MEMLANE_SINKS="sqlite").run("topology", "apply")
    first = shell.run("topology", "check")
    assert first.out == shell.run("topology", "check").out
    assert first.out.splitlines()[0] == "memlane.redis.dead.v1 is missing"


def test_the_settings_are_shown_with_their_sources(shell: Shell) -> None:
    """Passwords masked."""
    done = shell.having(MEMLANE_LOG_LEVEL="warning").run("config", "show", "--json")
    found = {record["variable"]: record for record in done.records}
    assert found["MEMLANE_LOG_LEVEL"]["source"] == "environment"
    assert found["MEMLANE_DEADLINE"]["source"] == "default"
    assert found["MEMLANE_AMQP_URL"]["value"].startswith("amqp://guest:***@")
    assert found["MEMLANE_SQLITE_PATH"]["section"] == "sink"


def test_settings_that_cannot_work_are_all_told(shell: Shell) -> None:
    """With exit code 1; a name that nobody reads, too."""
    assert shell.run("config", "check").out == "all settings can work\n"
    done = shell.having(MEMLANE_SINK="sqlite", MEMLANE_HEALTH_PORT="99999").run("config", "check")
    assert done.code == 1
    assert done.out.splitlines() == [
        "MEMLANE_HEALTH_PORT: Input should be less than or equal to 65535",
        "MEMLANE_SINK: there is no such setting; MEMLANE_SINKS is meant?",
    ]
