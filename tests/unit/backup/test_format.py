"""What is written is what is read: every kind of line, and both ends."""

import gzip
import json
from pathlib import Path

import pytest

from memlane.contracts.codec import MAX_COMMAND_BYTES
from memlane.contracts.errors import InvalidInput
from memlane.workers.backup.errors import BackupExists, BackupFailed
from memlane.workers.backup.format import Counts, decode_record, encode_record
from memlane.workers.backup.writing import BackupWriter
from tests.support.commands import store
from tests.unit.backup.files import NAME, some_records, written


def test_a_backup_reads_back_as_it_was_written(tmp_path: Path) -> None:
    """Commands under their versions, in their order, and what no sink had a content of."""
    records = some_records()
    file = written(tmp_path, records)
    assert list(file.records()) == records
    assert file.check() == file.trailer()
    assert file.trailer().counts == Counts(stores=20, deletes=1, marks=2, expired=1, unread=1)
    header = file.header()
    assert (header.format, header.schema_, header.name, header.sink) == (1, 1, NAME, "sqlite")


def test_it_is_json_lines_in_gzip_that_other_programs_read(tmp_path: Path) -> None:
    """First a line about it, then one a command as on the wire, then the counts and the checksum."""
    file = written(tmp_path, [store("k", {"a": 1})])
    first, command, last = map(json.loads, gzip.decompress(file.path.read_bytes()).splitlines())
    assert first["type"] == "memlane-backup"
    assert (command["type"], command["key"], command["value"]) == ("store", "k", {"a": 1})
    assert last["counts"] == {"stores": 1, "deletes": 0, "marks": 0, "expired": 0, "unread": 0}


def test_an_empty_sink_makes_a_backup(tmp_path: Path) -> None:
    """Of no lines but the first and the last."""
    file = written(tmp_path, [])
    assert list(file.records()) == []
    assert file.trailer().counts.total == 0


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """It holds people's memories."""
    folder = tmp_path / "new" / "folder"
    file = written(folder, [])
    assert (file.path.stat().st_mode & 0o777, folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_nothing_is_left_of_a_backup_that_broke_off(tmp_path: Path) -> None:
    """Whatever was written until then."""
    file = written(tmp_path / "other", [])

    def break_off() -> None:
        with BackupWriter(tmp_path / "x.jsonl.gz", file.header()) as writer:
            writer.write(some_records())
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["other"]


def test_no_backup_takes_the_name_of_another(tmp_path: Path) -> None:
    """Also where both are written at the same time: the second one fails, and the first one stays."""
    file = written(tmp_path / "other", [])
    path = tmp_path / "x.jsonl.gz"
    with BackupWriter(path, file.header()) as first, BackupWriter(path, file.header()) as second:
        first.finish()
        second.write(some_records())
        second.finish()
        first.keep()
        kept = path.read_bytes()
        with pytest.raises(BackupExists, match="take another --name"):
            second.keep()
    assert path.read_bytes() == kept
    assert sorted(one.name for one in tmp_path.iterdir()) == ["other", "x.jsonl.gz"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """And the setting that names it."""
    file = written(tmp_path / "other", [])
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(BackupFailed, match="MEMLANE_BACKUP_DIR"),
        BackupWriter(tmp_path / "file" / "x", file.header()),
    ):
        pytest.fail("it was opened")


def test_a_command_that_no_message_carries_is_not_written() -> None:
    """It could never be restored."""
    with pytest.raises(InvalidInput, match="a message at most"):
        encode_record(store("k", "x" * MAX_COMMAND_BYTES))


@pytest.mark.parametrize(
    "line",
    [b"[]", b'{"type":"store"}', b'{"type":"unread"}', b"{}", b"nothing", b'{"type":"other"}', b"\xff"],
)
def test_a_line_that_is_no_command_is_refused(line: bytes) -> None:
    """In words, whatever it is."""
    with pytest.raises(InvalidInput):
        decode_record(line)
