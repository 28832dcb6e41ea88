"""The folder of the backups: what they are called, which there are, and which go."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from memlane.contracts.errors import InvalidInput
from memlane.workers.backup.errors import BackupDamaged, BackupFormatUnknown, BackupNotFound
from memlane.workers.backup.format import Header, Trailer
from memlane.workers.backup.reading import SUFFIX, BackupFile
from memlane.workers.backup.writing import PARTIAL

SCHEDULED: Final = "scheduled-"
"""How the names of scheduled backups begin, and no others."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_ABANDONED: Final = timedelta(days=1)
"""A file that nobody has written to for so long is left from a crash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """A backup, as far as its two ends tell.

    Attributes:
        name: what it is called.
        bytes: how large its file is.
        header: None where it can't be read.
        trailer: likewise.
        problem: why it can't be read; empty where it can.
    """

    name: str
    bytes: int
    header: Header | None = None
    trailer: Trailer | None = None
    problem: str = ""

    @property
    def due(self) -> datetime | None:
        """Of a scheduled backup that can be read: the time that it was due."""
        due = self.header.due if self.header else None
        # Under another name it is somebody's own copy.
        return due if due is not None and self.name == scheduled_name(due) else None


class BackupFolder:
    """The backups in one folder.

    Args:
        path: of the folder; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def path_of(self, name: str) -> Path:
        """Where the backup of that name is, or would be.

        Raises:
            InvalidInput: no backup can be called that.
        """
        if not _NAME.fullmatch(name):
            raise InvalidInput(
                "NAME", f"{name[:60]!r} is no name of a backup", hint="take letters, digits, `.`, `_` and `-`"
            )
        return self.path / f"{name}{SUFFIX}"

    def file(self, name: str) -> BackupFile:
        """The backup of that name. Raises as `path_of`, and `BackupNotFound`: there is none."""
        path = self.path_of(name)
        if not path.is_file():
            raise BackupNotFound(
                f"there is no backup {name} in {self.path}", hint="see `memlane backup list`"
            )
        return BackupFile(path, name)

    def names(self) -> list[str]:
        """All that there are, sorted."""
        found = self.path.glob(f"*{SUFFIX}") if self.path.is_dir() else ()
        names = (path.name.removesuffix(SUFFIX) for path in found)
        return sorted(name for name in names if _NAME.fullmatch(name))

    def has_scheduled(self, due: datetime) -> bool:
        """Whether there is the scheduled backup of a time, or one of a later time: the clock was set back."""
        return any(name >= scheduled_name(due) for name in self.names() if name.startswith(SCHEDULED))

    def all(self) -> list[Listed]:
        """All that there are, the newest first; those that can't be read at the end."""
        oldest = datetime.min.replace(tzinfo=UTC)
        listed = [found for name in self.names() if (found := self._listed(name))]
        return sorted(listed, key=lambda one: one.header.created_at if one.header else oldest, reverse=True)

    def retain(self, keep: int) -> list[str]:
        """Removes all scheduled backups but the newest. What can't be read stays, and does not count.

        Args:
            keep: how many of them stay.

        Returns:
            The names of those that were removed.
        """
        scheduled = [(one.due, one.name) for one in self.all() if one.due is not None]
        gone = [name for _, name in sorted(scheduled, reverse=True)[keep:]]
        for name in gone:
            self.path_of(name).unlink(missing_ok=True)
        for path in self._abandoned():
            path.unlink(missing_ok=True)
        return gone

    def _listed(self, name: str) -> Listed | None:
        """What a backup says of itself; None where it has just been removed."""
        file = BackupFile(self.path_of(name), name)
        size = 0
        try:
            size = file.path.stat().st_size
            return Listed(name=name, bytes=size, header=file.header(), trailer=file.trailer())
        except (BackupDamaged, BackupFormatUnknown) as error:
            return Listed(name=name, bytes=size, problem=error.problem)
        except (OSError, BackupNotFound):
            return None

    def _abandoned(self) -> Iterator[Path]:
        before = time.time() - _ABANDONED.total_seconds()
        for path in self.path.glob(f".*{SUFFIX}.*{PARTIAL}"):
            if path.stat().st_mtime < before:
                yield path


def scheduled_name(due: datetime) -> str:
    """What the backup of a scheduled time is called."""
    return f"{SCHEDULED}{due.astimezone(UTC):{_STAMP}}"


def manual_name(at: datetime) -> str:
    """What a backup is called that somebody made without saying a name."""
    return f"manual-{at.astimezone(UTC):{_STAMP}}"


def check_own_name(name: str) -> None:
    """Checks a name that somebody chose.

    Raises:
        InvalidInput: scheduled backups are called that.
    """
    if name.startswith(SCHEDULED):
        raise InvalidInput(
            "--name", f"only scheduled backups begin with {SCHEDULED!r}", hint="take another name"
        )
