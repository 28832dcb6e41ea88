"""A backup that is not what was written is never taken for a good one."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.workers.backup.errors import BackupDamaged, BackupFormatUnknown, BackupNotFound
from memlane.workers.backup.reading import BackupFile
from tests.support.commands import store
from tests.unit.backup.files import NAME, some_records, written


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> BackupFile:
    """A backup of some lines."""
    return written(tmp_path_factory.mktemp("backups"), some_records())


@pytest.fixture(scope="module")
def spoilt(tmp_path_factory: pytest.TempPathFactory) -> BackupFile:
    """Where a test writes a damaged one."""
    return BackupFile(tmp_path_factory.mktemp("spoilt") / f"{NAME}.jsonl.gz")


@given(data=st.data())
def test_any_flipped_bit_is_noticed(good: BackupFile, spoilt: BackupFile, data: st.DataObject) -> None:
    """By reading all of it, and so by whoever restores."""
    content = bytearray(good.path.read_bytes())
    at = data.draw(st.integers(10, len(content) - 1))
    content[at] ^= 1 << data.draw(st.integers(0, 7))
    spoilt.path.write_bytes(content)
    try:
        found = list(spoilt.records())
    except (BackupDamaged, BackupFormatUnknown):
        return
    # The heads of gzip's members have fields that mean nothing.
    assert found == list(good.records())


@given(data=st.data())
def test_wherever_it_is_cut_off_that_is_noticed(
    good: BackupFile, spoilt: BackupFile, data: st.DataObject
) -> None:
    """Also by `list`, which looks at both ends only."""
    content = good.path.read_bytes()
    spoilt.path.write_bytes(content[: data.draw(st.integers(0, len(content) - 1))])
    with pytest.raises(BackupDamaged):
        list(spoilt.records())
    with pytest.raises(BackupDamaged):
        spoilt.check()
    with pytest.raises(BackupDamaged):
        spoilt.trailer()


# Any: what JSON can say.
def lines_of(file: BackupFile) -> Iterator[dict[str, Any]]:
    """The lines of a backup, parsed."""
    return map(json.loads, gzip.decompress(file.path.read_bytes()).splitlines())


def rewritten(file: BackupFile, lines: list[dict[str, Any]]) -> BackupFile:
    """The same file with other lines, well compressed."""
    file.path.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))
    return file


def test_a_line_that_was_changed_removed_or_added_is_noticed(tmp_path: Path) -> None:
    """By the checksum, and by the counts."""
    file = written(tmp_path, [store("k")])
    first, command, last = lines_of(file)
    compact = json.dumps(last, separators=(",", ":")).encode() + b"\n"
    for changed in ([first, {**command, "value": "other"}], [first], [first, command, command]):
        body = b"".join(json.dumps(line).encode() + b"\n" for line in changed)
        file.path.write_bytes(gzip.compress(body) + gzip.compress(compact))
        with pytest.raises(BackupDamaged, match="its checksum is another one"):
            list(file.records())


def test_what_stands_behind_the_end_is_noticed(tmp_path: Path) -> None:
    """Two backups are not one."""
    file = written(tmp_path, [store("k")])
    file.path.write_bytes(file.path.read_bytes() * 2)
    with pytest.raises(BackupDamaged, match="something stands behind its last line"):
        list(file.records())


def test_lines_out_of_order_are_noticed(tmp_path: Path) -> None:
    """A rollback relies on the order of the buckets."""
    file = written(tmp_path, list(reversed(some_records())))
    file.check()
    with pytest.raises(BackupDamaged, match="it belongs before bucket"):
        list(file.records())


def test_another_format_is_no_damage(tmp_path: Path) -> None:
    """But said by its number."""
    file = written(tmp_path, [])
    first, last = lines_of(file)
    rewritten(file, [{**first, "format": 2, "something": "new"}, last])
    with pytest.raises(BackupFormatUnknown, match="of format 2, and this memlane reads format 1"):
        file.header()
    with pytest.raises(BackupFormatUnknown):
        list(file.records())


NO_BACKUPS = {
    "empty": b"",
    "text": b"text",
    "nothing in gzip": gzip.compress(b""),
    "another object": gzip.compress(b"{}\n"),
    "no line": gzip.compress(b"x" * 99),
}


@pytest.mark.parametrize("content", NO_BACKUPS.values(), ids=NO_BACKUPS)
def test_a_file_that_is_no_backup_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """In words."""
    file = BackupFile(tmp_path / f"{NAME}.jsonl.gz")
    file.path.write_bytes(content)
    with pytest.raises(BackupDamaged, match=f"the backup {NAME} is damaged: "):
        file.header()
    with pytest.raises(BackupDamaged):
        list(file.records())


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    """Which is another thing than damage."""
    with pytest.raises(BackupNotFound, match="memlane backup list"):
        BackupFile(tmp_path / f"{NAME}.jsonl.gz").header()
