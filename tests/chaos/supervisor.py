"""A process that is started again whenever it ends, as a system's service manager would do it."""

import asyncio
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from signal import Signals
from typing import Final

from memlane.producers.ending import end
from memlane.testing.servers.guard import Guard
from memlane.testing.servers.processes import Identity, end_group, launch, signal_group

FIRST_PAUSE: Final = timedelta(milliseconds=200)
MAX_PAUSE: Final = timedelta(seconds=3)
LASTING: Final = timedelta(seconds=10)
"""What ran for so long is started again at once."""

STOP_LIMIT: Final = timedelta(seconds=40)

_POLL_SECONDS: Final = 0.05


class Supervised:
    """A command under supervision, from `start` to `stop`.

    Args:
        name: of the log file, and for people.
        command: the program and its arguments.
        environment: all of it.
        folder: the working directory, where the log is.

    Attributes:
        starts: how often it was started.
        crashes: how often it ended by itself: not by a signal of ours, and with an error.
    """

    def __init__(
        self, name: str, command: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self.name = name
        self.starts = 0
        self.crashes = 0
        self._command = list(command)
        self._environment = environment
        self._folder = folder
        self._guard: Guard | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._identity: Identity | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def log(self) -> Path:
        """What it writes."""
        return self._folder / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        running = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and running else None

    def start(self) -> None:
        """Starts it, and keeps it running."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._guard = Guard(self._folder)
        self._launch()
        self._keeping = asyncio.create_task(self._keep(), name=f"supervisor of {self.name}")

    def signal(self, number: Signals) -> None:
        """Sends a signal to the process that runs now, if one does."""
        if self._identity is not None:
            signal_group(self._identity, number)

    async def stop(self) -> int:
        """Ends it for good, in good order if it can; returns its exit code."""
        if self._keeping is not None:
            await end(self._keeping)
        if self._identity is not None:
            await asyncio.to_thread(end_group, self._identity, grace=STOP_LIMIT)
        code = 0 if self._process is None else await asyncio.to_thread(self._process.wait)
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        return code

    def _launch(self) -> None:
        self._process = launch(
            self._command, environment=self._environment, folder=self._folder, log=self.log
        )
        self._identity = Identity.of(self._process.pid)
        self.starts += 1
        if self._identity is not None and self._guard is not None:
            with suppress(BrokenPipeError):
                self._guard.watch(self._identity)

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            started = time.monotonic()
            # Not by waiting in a thread: there are many of these, and they end with the loop.
            while self._process is not None and self._process.poll() is None:  # noqa: ASYNC110
                await asyncio.sleep(_POLL_SECONDS)
            if self._process is not None and (self._process.returncode or 0) > 0:
                self.crashes += 1
            pause = FIRST_PAUSE if time.monotonic() - started > LASTING.total_seconds() else pause
            await asyncio.sleep(pause.total_seconds())
            pause = min(pause * 2, MAX_PAUSE)
            self._launch()
