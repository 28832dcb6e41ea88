"""The outbox's file: in order, bounded, shared, durable."""

import signal
import sqlite3
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from memlane.contracts.codec import encode_command, version_of
from memlane.contracts.command import StoreCommand
from memlane.contracts.errors import OutboxFailed
from memlane.contracts.version import make_version
from memlane.producers.outbox import file as file_module
from memlane.producers.outbox.file import Bounds, OutboxFile
from memlane.producers.outbox.lock import DrainLock

WIDE: Final = Bounds(1_000_000, timedelta(days=7))


def command(number: int, size: int = 10) -> bytes:
    """An encoded store with a version of its own."""
    id_ = make_version(1_700_000_000_000, number)
    fields = {"id": id_, "user_id": "u", "key": "k", "value": "x" * size}
    return encode_command(StoreCommand.model_validate(fields))


@pytest.fixture
def file(tmp_path: Path) -> OutboxFile:
    """A new one."""
    return OutboxFile(tmp_path / "state" / "outbox.db")


def waiting(file: OutboxFile, target: str = "t") -> list[bytes]:
    """All that waits, in order."""
    return [row.command for row in file.take(target, 10_000, 10**9)]


def test_commands_wait_in_order(file: OutboxFile) -> None:
    """Of each target apart."""
    assert not file.exists()
    file.append("t", [[command(1), command(2)], [command(3)]], WIDE)
    file.append("other", [[command(4)]], WIDE)
    assert waiting(file) == [command(1), command(2), command(3)]
    assert file.targets() == ["other", "t"]
    status = file.status("t")
    assert (status.waiting, status.aside) == (3, 0)
    assert status.bytes == sum(len(command(n)) for n in (1, 2, 3))
    assert status.oldest is not None
    assert datetime.now(UTC) - status.oldest < timedelta(minutes=1)
    file.close()


def test_a_message_takes_so_many_commands_and_bytes(file: OutboxFile) -> None:
    """At least one, however large."""
    file.append("t", [[command(n, 100)] for n in range(5)], WIDE)
    size = len(command(0, 100)) + 1
    assert len(file.take("t", 3, 10**6)) == 3
    assert len(file.take("t", 10, 2 * size - 1)) == 2
    assert len(file.take("t", 10, 2 * size - 2)) == 1
    assert len(file.take("t", 10, 1)) == 1
    file.close()


def test_what_does_not_fit_is_refused_and_the_rest_taken(file: OutboxFile) -> None:
    """A group counts as one; what is removed makes room, in all targets together."""
    bounds = Bounds(3 * len(command(0)), timedelta(days=7))
    told = file.append("t", [[command(0)], [command(1), command(2), command(3)], [command(4)]], bounds)
    assert [problem is None for problem in told] == [True, False, True]
    assert "is full: " in str(told[1])
    assert str(file.path) in str(told[1])
    assert file.append("other", [[command(5)]], bounds) == [None]
    assert file.append("t", [[command(6)]], bounds)[0] is not None
    file.remove(file.take("t", 1, 10**6))
    assert file.append("t", [[command(7)]], bounds) == [None]
    assert waiting(file) == [command(4), command(7)]
    file.close()


def test_what_waits_too_long_lets_nothing_more_in(file: OutboxFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of its own target only; nothing is dropped."""
    file.append("t", [[command(1)]], WIDE)
    later = datetime.now(UTC) + timedelta(days=8)
    monkeypatch.setattr(file_module, "now", lambda: later)
    assert "longer than 7 days" in str(file.append("t", [[command(2)]], WIDE)[0])
    assert file.append("other", [[command(3)]], WIDE) == [None]
    assert waiting(file) == [command(1)]
    file.close()


def test_what_is_aside_stays_for_a_person(file: OutboxFile) -> None:
    """It blocks nothing; it can be sent again, or dropped."""
    file.append("t", [[command(n) for n in range(3)]], WIDE)
    file.set_aside(file.take("t", 2, 10**6), "no")
    assert waiting(file) == [command(2)]
    assert (file.status("t").waiting, file.status("t").aside) == (1, 2)
    entries = file.entries("t", 10)
    assert [(entry.version, entry.state, entry.error) for entry in entries] == [
        (version_of(command(0)), "aside", "no"),
        (version_of(command(1)), "aside", "no"),
        (version_of(command(2)), "waiting", ""),
    ]
    assert file.drop(None, version=version_of(command(0))) == 1
    assert file.take_back("t") == 1
    assert waiting(file) == [command(1), command(2)]
    file.set_aside(file.take("t", 1, 10**6), "no")
    assert file.drop("t", aside=True) == 1
    assert file.drop("t") == 1
    assert (file.status("t").waiting, file.status("t").bytes, file.status("t").aside) == (0, 0, 0)
    file.close()


def test_only_its_owner_reads_it(file: OutboxFile) -> None:
    """It holds what somebody wants remembered."""
    file.append("t", [[command(1)]], WIDE)
    paths = [path for path in file.path.parent.iterdir() if path.name.startswith("outbox.db")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    file.close()


@pytest.mark.parametrize("content", [b"this is no database" * 100, None])
def test_a_file_that_cannot_be_written_is_told(tmp_path: Path, content: bytes | None) -> None:
    """With the path, and what to do."""
    path = tmp_path / "outbox.db"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(OutboxFailed, match="MEMLANE_STATE_DIR") as caught:
        OutboxFile(path).open()
    assert str(path) in str(caught.value)


def test_the_file_of_a_newer_memlane_is_left_alone(file: OutboxFile) -> None:
    """Who knows what is in it."""
    file.open()
    file.close()
    with sqlite3.connect(file.path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(OutboxFailed, match="newer memlane"):
        file.open()


_APPEND: Final = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.unit.outbox.test_file import WIDE, OutboxFile, command
first, end = int(sys.argv[3]), sys.argv[4]
file = OutboxFile(Path(sys.argv[2]))
for number in range(first, first + 50):
    assert file.append("t", [[command(number)]], WIDE) == [None]
if end == "kill":
    os.kill(os.getpid(), signal.SIGKILL)
"""


def appending(path: Path, first: int, end: str = "") -> "subprocess.Popen[bytes]":
    """A process that appends 50 commands."""
    root = str(Path(__file__).parents[3])
    return subprocess.Popen([sys.executable, "-c", _APPEND, root, str(path), str(first), end])  # noqa: S603


def test_several_processes_write_at_once(file: OutboxFile) -> None:
    """Also the very first thing; each finds what it wrote, in the order in which it wrote it."""
    processes = [appending(file.path, first) for first in (0, 100, 200)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    found = waiting(file)
    for first in (0, 100, 200):
        own = [command(number) for number in range(first, first + 50)]
        assert [one for one in found if one in own] == own
    file.close()


def test_what_was_appended_survives_a_kill(file: OutboxFile) -> None:
    """All of it, and the file can be used at once."""
    assert appending(file.path, 0, "kill").wait(60) == -signal.SIGKILL
    assert waiting(file) == [command(number) for number in range(50)]
    file.close()


def test_one_at_a_time_holds_the_lock(file: OutboxFile) -> None:
    """Another target's is another lock."""
    file.open()
    with DrainLock(file.path, "t") as first, DrainLock(file.path, "t") as second:
        assert (first.held, second.held) == (True, False)
        with DrainLock(file.path, "other") as other:
            assert other.held
    with DrainLock(file.path, "t") as again:
        assert again.held
    file.close()
