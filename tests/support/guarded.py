"""Processes of tests that end with the test run, also when that is killed."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from memlane.testing.servers.guard import Guard
from memlane.testing.servers.processes import Identity


@contextmanager
def guarded(process: "subprocess.Popen[bytes]", folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Yields the process, and waits for its end, as `with process` does.

    Args:
        process: in a session of its own.
        folder: where the guard runs.
    """
    guard = Guard(folder)
    try:
        with process:
            leader = Identity.of(process.pid)
            if leader is not None:
                guard.watch(leader)
            yield process
    finally:
        guard.dismiss()
