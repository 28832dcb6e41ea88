"""From which files a database was opened: others in their place are not it.

Beside the main file are its write-ahead log (`-wal`) and the index of that (`-shm`). They are found by their
names: those that a removed file leaves behind would be read as the next one's.
"""

from pathlib import Path
from typing import Final, NamedTuple

_BESIDE: Final = ("-wal", "-shm")


class FileIdentity(NamedTuple):
    """Which file it is, whatever it is called. Given to another one only when nobody has it open."""

    device: int
    number: int


def file_identity(path: Path) -> FileIdentity | None:
    """Which file a path names; None for none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return FileIdentity(found.st_dev, found.st_ino)


class DatabaseFiles:
    """The files of a database that is open, as they are now.

    Args:
        path: of the main file.
    """

    def __init__(self, path: Path) -> None:
        self.main = file_identity(path)
        self._path = path
        others = (path.with_name(path.name + end) for end in _BESIDE)
        self._beside = {other: file_identity(other) for other in others}

    @property
    def are_there(self) -> bool:
        """Whether the path still names the main file."""
        return self.main is not None and file_identity(self._path) == self.main

    def remove_leftovers(self) -> None:
        """Removes what is left of the other files. Call it while the database is still open."""
        for path, identity in self._beside.items():
            if identity is not None and file_identity(path) == identity:
                path.unlink(missing_ok=True)
