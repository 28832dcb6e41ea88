"""Which backups there are, and which go: only scheduled ones, only the oldest, never what can't be read."""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memlane.contracts.errors import InvalidInput
from memlane.workers.backup.errors import BackupNotFound
from memlane.workers.backup.folder import BackupFolder, check_own_name, manual_name, scheduled_name
from tests.support.commands import store
from tests.unit.backup.files import NAME, scheduled, written

FIRST = datetime(2026, 3, 1, 2, tzinfo=UTC)


def test_retention_keeps_the_newest_scheduled_ones(tmp_path: Path) -> None:
    """By the time that they were due. Others stay, however old they are, and so does what can't be read."""
    names = [scheduled(tmp_path, FIRST + timedelta(days=day)) for day in range(5)]
    others = [NAME, manual_name(FIRST)]
    for name in others:
        written(tmp_path, [], name)
    broken = scheduled_name(FIRST - timedelta(days=1))
    (tmp_path / f"{broken}.jsonl.gz").write_bytes(b"broken")
    folder = BackupFolder(tmp_path)
    assert folder.retain(2) == [names[2], names[1], names[0]]
    assert folder.names() == sorted([*names[3:], *others, broken])
    assert folder.retain(2) == []


def test_a_scheduled_backup_that_somebody_gave_another_name_stays(tmp_path: Path) -> None:
    """It is theirs now."""
    for day in range(2):
        scheduled(tmp_path, FIRST + timedelta(days=day))
    (tmp_path / f"{scheduled_name(FIRST)}.jsonl.gz").rename(tmp_path / "mine.jsonl.gz")
    assert BackupFolder(tmp_path).retain(1) == []


def test_a_time_that_a_later_backup_has_overtaken_is_not_due(tmp_path: Path) -> None:
    """With a clock that was set back, it would be made and removed again for ever."""
    folder = BackupFolder(tmp_path)
    assert not folder.has_scheduled(FIRST)
    scheduled(tmp_path, FIRST + timedelta(days=1))
    assert folder.has_scheduled(FIRST)
    assert folder.has_scheduled(FIRST + timedelta(days=1))
    assert not folder.has_scheduled(FIRST + timedelta(days=2))


def test_what_a_crash_left_is_no_backup_and_goes_after_a_day(tmp_path: Path) -> None:
    """Not before: somebody may be writing it."""
    left = tmp_path / ".x.jsonl.gz.0123abcd.partial"
    left.write_bytes(b"half")
    folder = BackupFolder(tmp_path)
    assert folder.names() == []
    folder.retain(1)
    assert left.exists()
    old = time.time() - timedelta(days=1, minutes=1).total_seconds()
    os.utime(left, (old, old))
    folder.retain(1)
    assert not left.exists()


def test_a_list_says_what_each_one_holds(tmp_path: Path) -> None:
    """The newest first, and at the end what can't be read, with the reason."""
    scheduled(tmp_path, FIRST)
    file = written(tmp_path, [store("k")])
    (tmp_path / "cut.jsonl.gz").write_bytes(file.path.read_bytes()[:-1])
    (tmp_path / "other.txt").write_text("no backup")
    newest, oldest, broken = BackupFolder(tmp_path).all()
    assert (newest.name, newest.bytes) == (NAME, file.path.stat().st_size)
    assert newest.trailer is not None
    assert newest.trailer.counts.stores == 1
    assert (oldest.name, oldest.due) == (scheduled_name(FIRST), FIRST)
    assert (broken.name, broken.problem) == ("cut", "it has no last line: it was cut off")


def test_a_folder_that_is_not_there_has_no_backups(tmp_path: Path) -> None:
    """It is made with the first."""
    folder = BackupFolder(tmp_path / "none")
    assert folder.all() == []
    with pytest.raises(BackupNotFound):
        folder.file(NAME)


@pytest.mark.parametrize("name", ["", "..", ".x", "a/b", "-x", "x" * 101, "naïve", "a b", "x\n"])
def test_a_name_that_is_no_file_of_its_own_is_refused(tmp_path: Path, name: str) -> None:
    """No name leads out of the folder."""
    with pytest.raises(InvalidInput):
        BackupFolder(tmp_path).path_of(name)


def test_nobody_calls_a_backup_as_scheduled_ones_are_called() -> None:
    """Retention would have to ask."""
    check_own_name(NAME)
    with pytest.raises(InvalidInput, match="only scheduled backups"):
        check_own_name("scheduled-mine")
