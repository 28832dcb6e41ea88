"""Processes are known by pid and start time, and ended with all that they started."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from subprocess import Popen

import pytest

from memlane.testing.servers import process_table
from memlane.testing.servers.processes import Identity, end_group, launch, signal_group
from memlane.testing.servers.waiting import wait_until

SOON = timedelta(seconds=10)
SLEEPER = "echo ready; exec sleep 600"
PARENT = "sleep 600 & echo ready; wait"
DEAF = "trap '' TERM; echo ready; while :; do sleep 0.05; done"
TIDY = "trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.05; done"

Start = Callable[[str], Identity]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the scripts' output goes."""
    return tmp_path / "log"


@pytest.fixture
def start(tmp_path: Path, log: Path) -> Iterator[Start]:
    """Launches shell scripts as servers are, and waits until they say that they are ready."""
    started: list[tuple[Identity, Popen[bytes]]] = []

    def run(script: str) -> Identity:
        command = ["/bin/sh", "-c", script]
        process = launch(command, environment={"PATH": os.defpath}, folder=tmp_path, log=log)
        leader = Identity.of(process.pid)
        assert leader is not None
        started.append((leader, process))
        assert wait_until(lambda: "ready" in log.read_text(), within=SOON)
        return leader

    yield run
    for leader, process in started:
        end_group(leader, grace=timedelta(0))
        process.wait()


def test_a_process_is_alive_until_it_ended(start: Start) -> None:
    """A zombie, of which only the exit status is left, is not alive; but its pid is still its own."""
    leader = start(SLEEPER)
    assert leader.alive()

    os.kill(leader.pid, signal.SIGKILL)

    assert wait_until(lambda: not leader.alive(), within=SOON)
    assert leader.holds_pid()
    assert Identity.of(leader.pid) is None


def test_a_pid_that_somebody_else_has_now_is_not_touched(start: Start) -> None:
    """The record may be old, and the pid in use again: the start time tells."""
    leader = start(SLEEPER)
    earlier = replace(leader, started="earlier")
    assert not earlier.alive()

    signal_group(earlier, signal.SIGKILL)
    end_group(earlier, grace=timedelta(0))

    assert leader.alive()


def test_a_process_ends_with_what_it_started(start: Start) -> None:
    """No grandchild is left behind."""
    leader = start(PARENT)
    assert len(process_table.members(leader.pid)) == 2

    end_group(leader, grace=SOON)

    assert process_table.members(leader.pid) == []


def test_what_a_dead_leader_left_running_is_ended_too(start: Start) -> None:
    """Somebody killed the leader alone."""
    leader = start(PARENT)
    os.kill(leader.pid, signal.SIGKILL)
    assert wait_until(lambda: not leader.alive(), within=SOON)
    assert len(process_table.members(leader.pid)) == 1

    end_group(leader, grace=SOON)

    assert process_table.members(leader.pid) == []


def test_a_process_may_tidy_up_before_it_ends(start: Start, log: Path) -> None:
    """Servers write their data down when they are asked to stop."""
    end_group(start(TIDY), grace=SOON)
    assert "tidied" in log.read_text()


def test_a_process_that_does_not_listen_is_killed_when_its_time_is_up(start: Start) -> None:
    """A stop always comes to an end."""
    leader = start(DEAF)
    end_group(leader, grace=timedelta(milliseconds=100))
    assert not leader.alive()


def test_a_frozen_process_can_be_stopped_in_good_order(start: Start, log: Path) -> None:
    """It is woken up for it."""
    leader = start(TIDY)
    signal_group(leader, signal.SIGSTOP)
    end_group(leader, grace=SOON)
    assert "tidied" in log.read_text()


def test_ending_what_is_gone_does_nothing(start: Start) -> None:
    """Stopping twice is no error."""
    leader = start(SLEEPER)
    end_group(leader, grace=SOON)
    end_group(leader, grace=SOON)


def test_a_launched_process_has_a_session_of_its_own(start: Start) -> None:
    """A Ctrl-C in the terminal is not for it, nor is the terminal's end."""
    leader = start(SLEEPER)
    assert os.getsid(leader.pid) == leader.pid


def test_without_proc_the_same_is_asked_of_ps(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    if not Path("/bin/ps").exists():
        pytest.skip("no ps on this machine")
    monkeypatch.setattr(process_table, "_has_proc", lambda: False)
    leader = start(PARENT)
    assert leader.alive()
    assert len(process_table.members(leader.pid)) == 2

    end_group(leader, grace=SOON)

    assert not leader.alive()
