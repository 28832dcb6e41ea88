"""What goes wrong at the start, or in between: one line that says what, and what to do; and an exit code."""

import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import pytest

from memlane.testing.servers import OwnServers
from memlane.testing.servers.ports import free_ports
from tests.acceptance.shell import Done, Shell

NOBODY = "amqp://guest:guest@127.0.0.1:1/"


def error_line(done: Done) -> str:
    """The one line that is told; there is no traceback."""
    assert "Traceback" not in done.err
    (line,) = (line for line in done.err.splitlines() if line.startswith("error: "))
    return line


@pytest.mark.parametrize(
    "arguments",
    [
        ("up",),
        ("worker", "aggregator"),
        ("get", "u", "k"),
        ("status",),
        ("dead", "list", "sqlite"),
        ("topology", "check"),
    ],
)
def test_a_broker_that_is_not_there_is_exit_code_5(shell: Shell, arguments: tuple[str, ...]) -> None:
    """For whatever needs it, `memlane up` included."""
    done = shell.having(MEMLANE_AMQP_URL=NOBODY).run(*arguments)
    assert done.code == 5, done
    line = error_line(done)
    assert line.startswith("error: can't reach RabbitMQ at 127.0.0.1:1/: ")
    assert line.endswith("To do: start it (make services), or set MEMLANE_AMQP_URL")
    assert done.out == ""


@pytest.mark.parametrize("command", [("up",), ("get", "u", "k")])
def test_wrong_credentials_are_not_tried_again(shell: Shell, command: tuple[str, ...]) -> None:
    """Trying again would not help: exit code 1. The password is not shown."""
    url = shell.place.servers.amqp_url.replace("guest:guest", "guest:s3cret")
    done = shell.having(MEMLANE_AMQP_URL=url).run(*command)
    assert done.code == 1
    assert "refused the account 'guest'. To do: check user and password" in error_line(done)
    assert "s3cret" not in done.err


def test_a_virtual_host_that_is_not_there_is_told(shell: Shell) -> None:
    """It is not the network's fault."""
    done = shell.run("up", "--url", f"{shell.place.servers.amqp_url}-nosuch")
    assert done.code == 1
    assert "on that virtual host" in error_line(done)


def test_something_that_is_no_broker_is_told(shell: Shell) -> None:
    """A URL of another kind, and a port that hangs up."""
    done = shell.run("get", "u", "k", "--url", "http://localhost/")
    assert done.code == 1
    assert "that is not an AMQP URL" in error_line(done)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"MEMLANE_SINKS": "sqlite,nosuch"}, "no sink 'nosuch' is installed. To do: there are: "),
        ({"MEMLANE_SINKS": "redis"}, "none of the sinks is durable"),
        ({"MEMLANE_SINKS": "Not A Sink"}, "MEMLANE_SINKS: "),
        (
            {"MEMLANE_SQLITE_PATH": "/proc/nowhere/memory.db"},
            "can't write the SQLite file /proc/nowhere/memory.db",
        ),
        ({"MEMLANE_REDIS_URL": "nonsense"}, "the Redis URL can't be read"),
        ({"MEMLANE_HEALTH_PORT": "99999"}, "MEMLANE_HEALTH_PORT: "),
    ],
)
def test_settings_that_cannot_work_end_the_start(
    shell: Shell, environment: Mapping[str, str], told: str
) -> None:
    """Naming what to change."""
    done = shell.having(**environment).run("up")
    assert done.code == 1, done
    assert told in error_line(done)
    assert "To do: " in error_line(done)


def test_a_path_that_cannot_be_written_is_told(shell: Shell, tmp_path: Path) -> None:
    """With the path, and the variable to set."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    done = shell.having(MEMLANE_SQLITE_PATH=str(in_the_way / "memory.db")).run("up")
    assert done.code == 1
    line = error_line(done)
    assert line.startswith(f"error: can't write the SQLite file {in_the_way}/memory.db: ")
    assert "To do: set MEMLANE_SQLITE_PATH" in line


def test_an_evicting_redis_is_refused(shell: Shell, own_servers: OwnServers, tmp_path: Path) -> None:
    """It would diverge for ever."""
    with own_servers.redis(tmp_path, arguments=("--maxmemory-policy", "allkeys-lru")) as redis:
        done = shell.having(MEMLANE_REDIS_URL=redis.url).run("up")
    assert done.code == 1
    line = error_line(done)
    assert "has the maxmemory-policy allkeys-lru" in line
    assert "To do: set maxmemory-policy noeviction" in line


def test_a_health_port_that_is_taken_is_told(shell: Shell) -> None:
    """With the port."""
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        done = shell.having(MEMLANE_HEALTH_PORT=str(port)).run("up")
    assert done.code == 1
    assert f"can't listen on 127.0.0.1:{port}" in error_line(done)


def test_a_store_before_anything_was_set_up_fails(shell: Shell) -> None:
    """Nobody would ever get it."""
    done = shell.run("store", "u", "k", "v")
    assert done.code == 1
    assert "To do: start `memlane up`, or `memlane topology apply`" in error_line(done)


def test_a_question_that_nobody_answers_is_exit_code_3(shell: Shell) -> None:
    """Which is another thing than "not found"."""
    shell.run("topology", "apply")
    for question in (("get", "u", "k"), ("list", "u"), ("search", "u", "text")):
        done = shell.run(*question, "--deadline", "300ms")
        assert done.code == 3, done
        assert "no answer within 0.3 s; nobody could say" in error_line(done)


def test_an_answer_without_one_of_the_sinks_says_so(shell: Shell) -> None:
    """What is there is printed; exit code 3."""
    shell.run("topology", "apply")
    roles = (("aggregator",), ("responder", "sqlite"), ("lane", "sqlite"))
    with ExitStack() as exits:
        running = [exits.enter_context(shell.start("worker", *role)) for role in roles]
        stored = shell.run("store", "u", "k", "v", "--wait", "sqlite", "--deadline", "30s")
        done = shell.run("list", "u", "--deadline", "2s")
        for process in running:
            process.terminate()
            process.communicate(timeout=60)
    assert stored.code == 0, stored
    assert done.code == 3, done
    assert [row[1] for row in done.rows] == ["k"]
    assert "incomplete answer: redis: " in done.err
