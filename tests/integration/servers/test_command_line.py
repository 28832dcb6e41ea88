"""`python -m memlane.testing.servers`: servers for a shell, or for one command."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from memlane.testing.servers.probes import amqp_problem, redis_problem
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON, Residents

pytestmark = [
    pytest.mark.processes,
    pytest.mark.usefixtures("installed"),
    pytest.mark.timeout(120, func_only=True),
]

COMMAND = [sys.executable, "-m", "memlane.testing.servers"]
SHOW = [
    sys.executable,
    "-c",
    "import os; print(os.environ['MEMLANE_AMQP_URL'], os.environ['MEMLANE_REDIS_URL'])",
]
"""What a command of somebody's may look like: it shows where it was told that the servers are."""


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A project folder of its own, no URLs, no Docker; nothing of it stays up."""
    monkeypatch.delenv("MEMLANE_AMQP_URL", raising=False)
    monkeypatch.delenv("MEMLANE_REDIS_URL", raising=False)
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    monkeypatch.chdir(tmp_path)
    yield
    monkeypatch.delenv("MEMLANE_AMQP_URL", raising=False)
    memlane_servers("down")


def memlane_servers(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command to its end."""
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=300, check=False)  # noqa: S603  # our own


def exported(text: str) -> dict[str, str]:
    """What a shell would have after evaluating this."""
    assignments = [line.removeprefix("export ").partition("=") for line in text.splitlines()]
    return {name: value for name, _, value in assignments}


def test_up_leaves_servers_running_for_everybody_until_down(tmp_path: Path, residents: Residents) -> None:
    """One story: up, up again, status, run, down."""
    first = memlane_servers("up")
    assert first.returncode == 0, first.stderr
    urls = exported(first.stdout)
    assert list(urls) == ["MEMLANE_AMQP_URL", "MEMLANE_REDIS_URL"]
    assert amqp_problem(urls["MEMLANE_AMQP_URL"]) is None
    assert redis_problem(urls["MEMLANE_REDIS_URL"]) is None
    assert "make services-down" in first.stderr

    entries = json.loads(tmp_path.joinpath(".memlane/servers.json").read_text())
    leaders = [leader for entry in entries for leader in entry["leaders"]]
    assert len(leaders) == 3
    assert all(leader["started"] and os.getsid(leader["pid"]) == leader["pid"] for leader in leaders)

    second = memlane_servers("up")
    assert second.stdout == first.stdout

    status = memlane_servers("status")
    assert status.returncode == 0
    assert status.stdout.count(" answers ") == 2
    assert "guest:guest" not in status.stdout

    run = memlane_servers("run", "--", *SHOW)
    assert run.stdout.split() == list(urls.values())
    assert amqp_problem(urls["MEMLANE_AMQP_URL"]) is None

    down = memlane_servers("down")
    assert down.returncode == 0
    assert down.stderr == "Stopped RabbitMQ and Redis.\n"
    assert wait_until(lambda: not residents(tmp_path), within=SOON), residents(tmp_path)
    assert memlane_servers("status").returncode == 1
    assert memlane_servers("down").stderr == "Nothing was left running.\n"


@pytest.mark.timeout(400, func_only=True)
def test_up_can_start_a_cluster(tmp_path: Path, residents: Residents) -> None:
    """All nodes are in its URL; asked for again, it is the same one, and `down` ends all of it."""
    first = memlane_servers("up", "--nodes", "3")
    assert first.returncode == 0, first.stderr
    nodes = exported(first.stdout)["MEMLANE_AMQP_URL"].split(",")
    assert len(set(nodes)) == 3
    assert [amqp_problem(node) for node in nodes] == [None] * 3
    assert memlane_servers("up", "--nodes", "3").stdout == first.stdout
    assert memlane_servers("down").stderr == "Stopped RabbitMQ and Redis.\n"
    assert wait_until(lambda: not residents(tmp_path), within=SOON), residents(tmp_path)


def test_up_with_urls_in_the_environment_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """And a URL that does not answer is said at once."""
    monkeypatch.setenv("MEMLANE_AMQP_URL", "amqp://guest:guest@127.0.0.1:1/")
    up = memlane_servers("up")
    assert up.returncode == 1
    assert up.stdout == ""
    assert up.stderr.startswith("error: cannot reach the RabbitMQ that MEMLANE_AMQP_URL names")
    assert memlane_servers("status").returncode == 1


def test_run_starts_servers_for_one_command_and_keeps_their_data(
    tmp_path: Path, residents: Residents
) -> None:
    """The exit code is the command's."""
    script = f"{' '.join(map(repr, SHOW))}; exit 5"
    done = memlane_servers("run", "--", "/bin/sh", "-c", script)

    assert done.returncode == 5, done.stderr
    amqp_url, redis_url = done.stdout.split()
    assert amqp_problem(amqp_url) is not None
    assert redis_problem(redis_url) is not None
    assert not residents(tmp_path)
    assert sorted(path.name for path in tmp_path.joinpath(".memlane/servers").iterdir()) == [
        "rabbitmq",
        "redis",
    ]
    assert not tmp_path.joinpath(".memlane/servers.json").exists()


def test_run_stops_its_servers_when_it_is_told_to_end(tmp_path: Path, residents: Residents) -> None:
    """The command is told first, and ends as it sees fit."""
    script = "trap 'echo bye; exit 9' TERM; echo ready; while :; do sleep 0.05; done"
    with subprocess.Popen(  # noqa: S603  # our own
        [*COMMAND, "run", "--", "/bin/sh", "-c", script], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "ready\n"
        running.send_signal(signal.SIGTERM)
        assert running.stdout.read() == "bye\n"
        assert running.wait() == 9
    assert not residents(tmp_path)


def test_run_of_a_command_that_does_not_exist_says_so() -> None:
    """Before anything is started, and with the exit code that shells give for it."""
    done = memlane_servers("run", "--", "no-such-command")
    assert done.returncode == 127
    assert done.stderr == "error: there is no command 'no-such-command'\n"
