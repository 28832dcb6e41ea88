"""A command run for somebody: its exit code is handed on, and signals reach it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memlane.testing.servers.child import Child, Interrupted

# Runs a command as `run` does; the command says when it is ready, and how it was told to end.
HOST = """
import os, sys
from memlane.testing.servers.child import Child
child = Child()
with child.listening():
    code = child.run([sys.executable, "-c", os.environ["COMMAND"]], os.environ)
    print("cleaned up", flush=True)
sys.exit(code)
"""
PATIENT = """
import os, signal, sys
signal.signal(signal.{0}, lambda *_: (os.write(1, b"got {0}\\n"), sys.exit(7)))
os.write(1, b"ready\\n")
signal.pause()
"""


@pytest.mark.parametrize(("code", "expected"), [("exit 0", 0), ("exit 3", 3), ("kill -KILL $$", 137)])
def test_the_commands_exit_code_is_handed_on(code: str, expected: int) -> None:
    """128 and the signal's number, where one ended it, as shells have it."""
    child = Child()
    with child.listening():
        assert child.run(["/bin/sh", "-c", code], os.environ) == expected


def test_the_command_gets_the_environment_that_it_is_given(tmp_path: Path) -> None:
    """And no other."""
    file = tmp_path / "seen"
    child = Child()
    with child.listening():
        child.run(["/bin/sh", "-c", f'echo "$URL" > {file}'], {"URL": "amqp://there/"})
    assert file.read_text() == "amqp://there/\n"


def test_a_command_that_does_not_exist_is_an_error() -> None:
    """For the caller to tell."""
    child = Child()
    with child.listening(), pytest.raises(FileNotFoundError):
        child.run(["/no/such/command"], {})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_are_passed_on_and_what_follows_is_done(number: signal.Signals) -> None:
    """The command ends as it sees fit, and its servers are stopped after it."""
    environment = {**os.environ, "COMMAND": PATIENT.format(number.name)}
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", HOST],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == "ready\n"
        host.send_signal(number)
        assert host.stdout.read() == f"got {number.name}\ncleaned up\n"
        assert host.wait() == 7


def test_a_signal_before_the_command_ends_this_process_in_good_order() -> None:
    """The servers that are being started are stopped on the way out."""
    child = Child()
    with child.listening(), pytest.raises(Interrupted) as caught:
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.code == 143


def test_a_signal_after_the_command_is_ignored() -> None:
    """What is being stopped by then is stopped completely."""
    child = Child()
    with child.listening():
        child.run(["/bin/sh", "-c", "exit 0"], os.environ)
        signal.raise_signal(signal.SIGTERM)


def test_the_handlers_are_given_back() -> None:
    """Whoever listened before listens again."""
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Child().listening():
        assert signal.getsignal(signal.SIGTERM) != before[1]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
