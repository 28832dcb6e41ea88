"""Running `memlane` as a person or a script does."""

import json
import os
import pty
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from memlane.testing.demo.system import COMMAND, Place
from memlane.testing.servers.waiting import wait_until
from tests.acceptance.forking import run_forked
from tests.support.guarded import guarded

LIMIT: Final = timedelta(seconds=60)
"""Much longer than any command takes; only a test that fails waits so long."""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[Any]:
        """Its JSON Lines. Any: what JSON gave."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def rows(self) -> list[list[str]]:
        """Its lines, by tabs."""
        return [line.split("\t") for line in self.out.splitlines()]


@dataclass(frozen=True)
class Shell:
    """Where commands run: with these settings in their environment.

    Attributes:
        place: servers and data.
        settings: further variables, which win.
    """

    place: Place
    settings: Mapping[str, str] = field(default_factory=dict)

    def having(self, **settings: str) -> "Shell":
        """The same with further variables in its environment."""
        return replace(self, settings={**self.settings, **settings})

    def run(self, *arguments: str, stdin: bytes = b"") -> Done:
        """Runs `memlane` with these arguments to its end, away from any terminal."""
        code, out, err = run_forked(
            arguments, folder=self.place.folder, environment=self._environment(), stdin=stdin, limit=LIMIT
        )
        return Done(code, out.decode(), err.decode())

    @contextmanager
    def start(self, *arguments: str) -> Iterator["subprocess.Popen[bytes]"]:
        """Starts `memlane` with these arguments, and waits for its end. It has the signals to itself."""
        process = subprocess.Popen(  # noqa: S603  # memlane itself
            [*COMMAND, *arguments],
            cwd=self.place.folder,
            env=self._environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with guarded(process, self.place.folder):
            yield process

    def on_terminal(self, *arguments: str, typed: bytes = b"") -> Done:
        """Runs it on a terminal of 100 columns. Stdout and stderr are one there."""
        ours, theirs = pty.openpty()
        environment = {**self._environment(), "TERM": "xterm", "COLUMNS": "100"}
        with subprocess.Popen(  # noqa: S603  # memlane itself
            [*COMMAND, *arguments],
            cwd=self.place.folder,
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            os.write(ours, typed)
            shown = _read(ours)
            os.close(ours)
        return Done(process.returncode, shown.decode().replace("\r\n", "\n"), "")

    def _environment(self) -> dict[str, str]:
        return {**self.place.environment(), **self.settings}


def wait_for(condition: Callable[[], bool], description: str) -> None:
    """Returns when the condition holds; fails where it does not in time."""
    assert wait_until(condition, within=LIMIT), f"waited in vain until {description}"


def _read(terminal: int) -> bytes:
    shown = b""
    while True:
        try:
            shown += os.read(terminal, 65536)
        except OSError:  # the other end is closed
            return shown
