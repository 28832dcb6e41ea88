"""Processes by identity: a pid alone may belong to somebody else by now."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from memlane.testing.servers import process_table
from memlane.testing.servers.waiting import wait_until

KILL_LIMIT = timedelta(seconds=10)


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One process, for as long as it lives."""

    pid: int
    started: str
    """When it started, as the system tells it: only good for comparing."""

    @classmethod
    def of(cls, pid: int) -> "Identity | None":
        """The identity of a running process, or None where there is none."""
        row = process_table.look_up(pid)
        return None if row is None or row.ended else cls(pid=pid, started=row.started)

    def alive(self) -> bool:
        """Whether this very process still runs (a zombie does not)."""
        return self == Identity.of(self.pid)

    def holds_pid(self) -> bool:
        """Whether the pid is still this process's: it runs, or nobody has collected its exit status yet."""
        row = process_table.look_up(self.pid)
        return row is not None and row.started == self.started


def launch(
    command: Sequence[str], *, environment: Mapping[str, str], folder: Path, log: Path
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: no terminal's Ctrl-C or hang-up reaches it.

    Args:
        command: The program and its arguments.
        environment: All of its environment.
        folder: Its working directory.
        log: The file that its output is added to.
    """
    with log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603  # the callers' own command lines
            list(command),
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def signal_group(leader: Identity, number: signal.Signals) -> None:
    """Send a signal to a process that `launch` started, and to all in its process group."""
    if leader.holds_pid():
        _signal(leader.pid, number)


def end_group(leader: Identity, *, grace: timedelta) -> None:
    """End a process that `launch` started, and all in its process group; does nothing where it is gone.

    Args:
        leader: The process.
        grace: How long it may take to shut down in good order before it is killed; zero kills it at once.
    """
    if not leader.holds_pid():
        return

    def gone() -> bool:
        return not process_table.members(leader.pid)

    if grace:
        _signal(leader.pid, signal.SIGCONT)
        _signal(leader.pid, signal.SIGTERM)
    if not wait_until(gone, within=grace):
        # As long as one member lives, the system gives the group's number to nobody else.
        _signal(leader.pid, signal.SIGKILL)
        wait_until(gone, within=KILL_LIMIT)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
