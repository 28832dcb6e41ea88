"""A small disk for the SQLite sink, which can be filled.

Where this process may mount, it is a tmpfs, filled by a file. Elsewhere the worker processes are told by the
system that no file of theirs may grow (`RLIMIT_FSIZE`), which SQLite sees as a failing write.
"""

import errno
import os
import resource
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Final

SIZE_MIB: Final = 192
_BALLAST: Final = "ballast"
_CHUNK: Final = b"\0" * 65536
_LEAST_BYTES: Final = 4096


class SmallDisk:
    """A folder whose space ends.

    Args:
        folder: made; where the tmpfs is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mounted = False
        self._limited: dict[int, tuple[int, int]] = {}

    @property
    def kind(self) -> str:
        """How it is filled."""
        return f"a tmpfs of {SIZE_MIB} MiB" if self._mounted else "a limit on the size of the workers' files"

    def open(self) -> None:
        """Mounts it, where that may be."""
        self.folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE_MIB}m", "tmpfs", str(self.folder)]
        self._mounted = _succeeds(command)

    def close(self) -> None:
        """Unmounts it: what is in it is gone."""
        if self._mounted:
            _succeeds(["umount", "--lazy", str(self.folder)])
            self._mounted = False

    def fill(self, pids: Iterable[int]) -> None:
        """From now on nothing can be added."""
        if self._mounted:
            self._write_ballast()
            return
        for pid in pids:
            limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            self._limited[pid] = limits
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (_LEAST_BYTES, limits[1]))

    def clear(self) -> None:
        """There is room again."""
        (self.folder / _BALLAST).unlink(missing_ok=True)
        for pid, limits in self._limited.items():
            if Path(f"/proc/{pid}").exists():
                resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
        self._limited.clear()

    def _write_ballast(self) -> None:
        descriptor = os.open(self.folder / _BALLAST, os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(descriptor, _CHUNK)
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
        finally:
            os.close(descriptor)


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603  # only the folder varies
    except OSError:
        return False
    return done.returncode == 0
