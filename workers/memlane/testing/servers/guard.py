"""The guard: ends private servers whose owner died without doing so (killed outright, say)."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from memlane.testing.servers.processes import Identity

PROGRAM = "memlane.testing.servers.guarding"


class Guard:
    """A small program beside the servers, which ends what it was told of when this process is gone.

    It reads its standard input, which this process holds open: the end of that input is this process's end.

    Args:
        folder: The directory that it watches over, and runs in.
        remove: Remove the directory then as well.
    """

    def __init__(self, folder: Path, *, remove: bool = False) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", "-m", PROGRAM, *([str(folder)] if remove else [])],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def watch(self, leader: Identity) -> None:
        """Have this process group ended when this process is gone."""
        self._tell(leader=asdict(leader))

    def watch_container(self, container_id: str) -> None:
        """Have this container removed when this process is gone."""
        self._tell(container=container_id)

    def dismiss(self) -> None:
        """End the guard; what it watched stays as it is."""
        self._process.kill()
        self._process.communicate()

    def _tell(self, **what: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            self._process.stdin.flush()
