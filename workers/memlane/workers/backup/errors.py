"""What can go wrong with backups.

MemlaneError
├── BackupError
│   ├── BackupFailed            it could not be made; nothing of it is left
│   ├── BackupExists            there is one of that name
│   ├── BackupDamaged           the file is not what was written
│   └── BackupFormatUnknown     the file is of another format than this memlane reads
├── NotFound
│   └── BackupNotFound          there is none of that name
└── NoSinkToRead                no sink can be read that a backup may be made of
"""

from memlane.contracts.errors import MemlaneError
from memlane.producers.cli.errors import NotFound


class BackupError(MemlaneError):
    """Something is wrong with a backup."""


class BackupFailed(BackupError):
    """A backup could not be made. Nothing of it is left."""


class BackupExists(BackupError):
    """There is a backup of that name."""


class BackupDamaged(BackupError):
    """A file is not what was written: cut off, changed, or no backup at all.

    Args:
        name: the backup's.
        problem: what is wrong, and where.
    """

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(
            f"the backup {name} is damaged: {problem}", hint="take another one: memlane backup list"
        )
        self.problem = problem


class BackupFormatUnknown(BackupError):
    """A file is of another format than this memlane reads.

    Args:
        name: the backup's.
        format_: its format's number.
        known: the number that is read here.
    """

    def __init__(self, name: str, format_: object, known: int) -> None:
        problem = f"it is of format {format_}, and this memlane reads format {known}"
        super().__init__(f"the backup {name} can't be read: {problem}", hint="use the memlane that made it")
        self.problem = problem


class BackupNotFound(NotFound):
    """There is no backup of that name."""


class NoSinkToRead(MemlaneError):
    """No sink can be read that may be the source."""
