"""Only one process serves a store: two would lose each other's writes."""

import fcntl
import os
from pathlib import Path

from memlane.storage.errors import SinkMisconfigured, SinkUnavailable


class LockFile:
    """A file that one process holds at a time; the system takes it back when that process ends, however.

    Args:
        path: made, with its folder, if absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def acquire(self) -> None:
        """Takes it.

        Raises:
            SinkUnavailable: another process has it.
            SinkMisconfigured: the file can't be made.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SinkMisconfigured(
                f"can't write the lock file {self._path}: {error.strerror}",
                hint="set MEMLANE_MCP_DIR to a folder that may be written",
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(descriptor, 20).decode("ascii", "ignore")
            os.close(descriptor)
            raise SinkUnavailable(
                f"the process {owner or '(unknown)'} serves the MCP store in {self._path.parent}",
                hint="one process owns it, for lane, responder and sweeper: run them together",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        self._descriptor = descriptor

    def release(self) -> None:
        """Gives it back. Safe to call twice."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
