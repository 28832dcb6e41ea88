"""Writing a backup: under another name until all of it is on the disk."""

import gzip
import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self
from uuid import uuid4

from memlane.workers.backup.errors import BackupExists, BackupFailed
from memlane.workers.backup.format import (
    Header,
    Kind,
    Record,
    Trailer,
    counts_of,
    encode_line,
    encode_record,
    kind_of,
)

PARTIAL: Final = ".partial"
"""How the name of a file ends that is not complete."""

_LEVEL: Final = 6


class BackupWriter:
    """Writes one backup. Used in a `with` block, which removes what was not kept.

    Args:
        path: of the backup; its folder is made if absent. The file may be read by its owner only.
        header: its first line.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self.partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}{PARTIAL}")
        self._header = header
        self._digest = hashlib.sha256()
        self._kinds: Counter[Kind] = Counter()

    def __enter__(self) -> Self:
        """Raises `BackupFailed` where the file can't be written."""
        with _translated(self.path):
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file: IO[bytes] = os.fdopen(descriptor, "wb")
            self._lines = gzip.GzipFile("", "wb", _LEVEL, self._file, mtime=0)
            self._line(encode_line(self._header))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError, ValueError):
            self._lines.close()
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self.partial.unlink(missing_ok=True)

    def write(self, records: Iterable[Record]) -> None:
        """Writes some lines.

        Raises:
            BackupFailed: the disk is full, say.
            InvalidInput: a command is larger than any message.
        """
        with _translated(self.path):
            for record in records:
                self._line(encode_record(record))
                self._kinds[kind_of(record)] += 1

    def finish(self) -> Trailer:
        """Writes the last line, and returns when everything is on the disk. Raises as `write`."""
        trailer = Trailer(counts=counts_of(self._kinds), sha256=self._digest.hexdigest())
        with _translated(self.path):
            self._lines.close()
            self._file.write(gzip.compress(encode_line(trailer), mtime=0))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        return trailer

    def keep(self) -> None:
        """Gives the file its name, in one step. Raises as `write`, and `BackupExists`: it is taken."""
        with _translated(self.path):
            _name(self.partial, self.path)
            _sync_folder(self.path.parent)

    def _line(self, line: bytes) -> None:
        self._digest.update(line)
        self._lines.write(line)


def _name(partial: Path, path: Path) -> None:
    """A rename that replaces nothing."""
    try:
        path.hardlink_to(partial)
    except FileExistsError:
        raise exists(path) from None
    except OSError:
        # A file system without links.
        if path.exists():
            raise exists(path) from None
        partial.rename(path)


def exists(path: Path) -> BackupExists:
    """The error for a name that is taken."""
    return BackupExists(f"there is a backup already: {path}", hint="take another --name")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(
            f"the backup {path} can't be written: {error.strerror or error}",
            hint="see to the disk and the folder's rights, or set MEMLANE_BACKUP_DIR",
        ) from error
