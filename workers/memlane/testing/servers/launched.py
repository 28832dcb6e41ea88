"""The processes of one private server: launched, recorded, watched over, ended together."""

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from signal import Signals

from memlane.testing.servers.guard import Guard
from memlane.testing.servers.lease import Lease
from memlane.testing.servers.orphans import end_orphans
from memlane.testing.servers.processes import Identity, end_group, launch, signal_group


@dataclass(frozen=True, kw_only=True)
class Program:
    """One program that makes up a server."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]


class Launched:
    """What runs for one server, in the order in which it was launched; the last program is what serves.

    Args:
        folder: The working directory, and where the lease is.
        log: The file that all output is added to.
        detached: It is meant to outlive this process; otherwise a guard ends it when this process dies.
    """

    def __init__(self, folder: Path, log: Path, *, detached: bool) -> None:
        self._folder, self._log, self._detached = folder, log, detached
        self._lease = Lease(folder)
        self._processes: list[tuple[Identity, subprocess.Popen[bytes]]] = []
        self._guard: Guard | None = None

    @property
    def leaders(self) -> list[Identity]:
        """The launched processes that still run."""
        return [leader for leader, _ in self._processes if leader.alive()]

    @property
    def serving(self) -> bool:
        """Whether the last program runs (frozen or not)."""
        return bool(self._processes) and self._processes[-1][0].alive()

    def exit_code(self) -> int | None:
        """How the last program ended, or None while it runs."""
        return self._processes[-1][1].poll()

    def launch(self, programs: Sequence[Program]) -> None:
        """Launch these programs. What others have left whose owner was killed with its guard goes first."""
        end_orphans()
        if not self._detached:
            self._guard = Guard(self._folder)
        for program in programs:
            self._launch(program)

    def signal(self, number: Signals) -> None:
        """Send a signal to all of it."""
        for leader, _ in self._processes:
            signal_group(leader, number)

    def end(self, grace: timedelta) -> None:
        """End all of it, the last first, each within this time before it is killed."""
        if not self._processes and self._guard is None:
            return  # nothing of ours: the lease may be another process's
        for leader, process in reversed(self._processes):
            end_group(leader, grace=grace)
            process.wait()
        self._processes.clear()
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        self._lease.clear()

    def _launch(self, program: Program) -> None:
        process = launch(program.command, environment=program.environment, folder=self._folder, log=self._log)
        leader = Identity.of(process.pid)
        if leader is None:
            process.wait()
            raise ChildProcessError(f"{program.name} ended at once, with exit code {process.returncode}")
        self._processes.append((leader, process))
        if self._guard is not None:
            self._guard.watch(leader)
        self._lease.write([leader for leader, _ in self._processes], detached=self._detached)
