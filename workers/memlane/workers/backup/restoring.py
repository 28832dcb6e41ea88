"""What a backup holds, under its own versions: it fills gaps, and replaces nothing that is newer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from memlane.contracts.command import AddressCommand, AnyCommand, DeleteNamespace, DeleteUser
from memlane.contracts.fingerprint import command_hash
from memlane.storage.rows import Mark, Scope
from memlane.workers.backup.format import Counts, Unread
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.selection import Marks, Selection

_TELL_EVERY: Final = 1000

OnProgress = Callable[[int, int], None]
"""Told how many lines are read, and how many there are."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A backup that is as it was written.

    Attributes:
        file: the backup.
        counts: what it holds.
        marks: its scope marks.
    """

    file: BackupFile
    counts: Counts
    marks: Marks

    def commands(self, selection: Selection) -> Iterator[AnyCommand]:
        """The commands of a part. What one of the backup's own marks covers is not among them.

        A mark that reaches beyond the part is not either: it would delete there.
        """
        for record in self.file.records():
            if isinstance(record, Unread) or not selection.takes_record(record):
                continue
            if not (isinstance(record, AddressCommand) and self.covers(record)):
                yield record

    def covers(self, command: AddressCommand) -> bool:
        """Whether one of the backup's marks had deleted this."""
        mark = self.marks.over(command.user_id, command.namespace)
        return mark is not None and mark >= command.id


def checked(file: BackupFile, on_progress: OnProgress = lambda _done, _all: None) -> Checked:
    """Reads a backup from end to end.

    Raises:
        BackupDamaged: it is not as it was written.
        BackupFormatUnknown: it is of another format.
    """
    file.header()
    counts, marks = file.trailer().counts, Marks()
    for number, record in enumerate(file.records(), 1):
        if isinstance(record, DeleteUser | DeleteNamespace):
            namespace = record.namespace if isinstance(record, DeleteNamespace) else None
            marks.add(Scope(record.user_id, namespace), Mark(record.id, command_hash(record)))
        if number % _TELL_EVERY == 0:
            on_progress(number, counts.total)
    return Checked(file, counts, marks)
