"""Journals say what was promised, also after a crash."""

from pathlib import Path

from tests.chaos.journal import Journal, read_journals, said_by, unsettled
from tests.support.commands import delete, delete_namespace, store


def test_confirmed_and_unconfirmed_are_told_apart(tmp_path: Path) -> None:
    """Failed, and without an outcome, are both unconfirmed; queued is a promise."""
    sure, queued, failed, unknown = store(), delete(), delete_namespace("a"), store()
    journal = Journal(tmp_path / "j")
    journal.intend([sure, queued, failed, unknown])
    journal.settle([sure], "confirmed")
    journal.settle([queued], "queued")
    journal.settle([failed], "failed")
    journal.close()
    promises = read_journals([tmp_path / "j"])
    assert promises.confirmed == [said_by(sure), said_by(queued)]
    assert promises.unconfirmed == [said_by(failed), said_by(unknown)]
    assert (promises.commands, promises.sends) == (4, 3)
    assert unsettled(tmp_path / "j") == [failed, unknown]


def test_what_failed_and_was_sent_again_is_confirmed(tmp_path: Path) -> None:
    """The last word counts only where it is a promise."""
    command = store()
    journal = Journal(tmp_path / "j")
    journal.intend([command])
    for outcome in ("failed", "confirmed", "failed"):
        journal.settle([command], outcome)
    journal.close()
    assert read_journals([tmp_path / "j"]).confirmed == [said_by(command)]


def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    """A crash in the middle of writing tears the last line; the next journal begins a new one."""
    path = tmp_path / "j"
    first = Journal(path)
    first.intend([store()])
    first.close()
    path.write_bytes(path.read_bytes() + b'{"intent":{"type"')
    second = Journal(path)
    second.intend([store()])
    second.close()
    assert read_journals([path]).commands == 2


def test_no_journal_says_nothing(tmp_path: Path) -> None:
    """A producer that never ran."""
    assert read_journals([tmp_path / "none"]).commands == 0
