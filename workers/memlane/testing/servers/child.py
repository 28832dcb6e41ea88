"""Running one command to its end, with signals passed on to it."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType

_PASSED_ON = (signal.SIGINT, signal.SIGTERM)
_SIGNAL_BASE = 128


class Interrupted(SystemExit):
    """A signal came before the command ran: end, with the exit code that shells give for it."""


class _Stage(Enum):
    BEFORE = auto()
    MEANWHILE = auto()
    AFTER = auto()


class Child:
    """The command of one `run`.

    While `listening`, a SIGINT or SIGTERM is passed on to the command as long as that runs, ends this process
    in good order before that, and is ignored after it, so that what is stopped then is stopped completely.
    """

    def __init__(self) -> None:
        self._stage = _Stage.BEFORE
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: list[int] = []

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Receive the signals, and give them back at the end."""
        before = {number: signal.signal(number, self._received) for number in _PASSED_ON}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def run(self, command: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run it to its end.

        Returns:
            Its exit code, or 128 and the signal's number where a signal ended it.

        Raises:
            OSError: There is no such command, or it cannot be run.
        """
        self._stage = _Stage.MEANWHILE
        try:
            self._process = subprocess.Popen(list(command), env=dict(environment))  # noqa: S603  # the caller's
            for number in self._waiting:
                self._process.send_signal(number)
            code = self._process.wait()
        finally:
            self._stage = _Stage.AFTER
        return code if code >= 0 else _SIGNAL_BASE - code

    def _received(self, number: int, _: FrameType | None) -> None:
        if self._stage is _Stage.BEFORE:
            self._stage = _Stage.AFTER
            raise Interrupted(_SIGNAL_BASE + number)
        # A Ctrl-C goes to every process in the terminal's foreground, so the command has it already.
        if self._stage is _Stage.AFTER or (number == signal.SIGINT and _in_foreground()):
            return
        if self._process is None:
            self._waiting.append(number)
        else:
            self._process.send_signal(number)


def _in_foreground() -> bool:
    try:
        terminal = os.open(os.ctermid(), os.O_RDONLY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
