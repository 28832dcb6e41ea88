"""Which part is meant: by whole parts of a namespace, and never more than what is said."""

from pathlib import Path

import pytest

from memlane.contracts.errors import InvalidInput
from memlane.storage.rows import Mark, Scope
from memlane.workers.backup.format import Record
from memlane.workers.backup.restoring import checked
from memlane.workers.backup.selection import Marks, Selection, selection_of
from tests.support.commands import forget, store
from tests.unit.backup.files import in_order, written


@pytest.mark.parametrize(
    ("part", "user", "namespace", "taken"),
    [
        (Selection(), "u", None, True),
        (Selection("u"), "u", None, True),
        (Selection("u"), "v", "a", False),
        (Selection("u", "a"), "u", "a/b", True),
        (Selection("u", "a"), "u", "ab", False),
        (Selection("u", "a/b"), "u", "a", False),
        (Selection("u", "a"), "u", None, False),
        (Selection(None, "a"), "v", "a", True),
    ],
)
def test_what_is_in_a_part(part: Selection, user: str, namespace: str | None, taken: bool) -> None:
    """A whole user is not in a namespace."""
    assert part.takes(user, namespace) is taken


def test_what_is_no_user_or_namespace_is_refused() -> None:
    """By the name of the option."""
    assert str(selection_of("u", "a/b")) == "everything of u in a/b and below"
    assert str(selection_of(None, None)) == "everything"
    with pytest.raises(InvalidInput, match="--user"):
        selection_of("", None)
    with pytest.raises(InvalidInput, match="--namespace"):
        selection_of("u", "a//b")


def test_the_newest_mark_that_covers_counts() -> None:
    """Those of the user, and of the namespaces above."""
    marks = Marks()
    marks.add(Scope("u", "a"), Mark("2", "x"))
    marks.add(Scope("u", "a"), Mark("1", "x"))
    marks.add(Scope("u", None), Mark("3", "x"))
    assert (marks.over("u", "a/b"), marks.over("v", "a"), marks.over("u", "c")) == ("3", None, "3")


def test_what_a_mark_of_the_backup_covers_is_not_restored(tmp_path: Path) -> None:
    """Also not with a part that the mark itself is not in: it was deleted when the backup was made."""
    covered, mark, after = store("k", namespace="a"), forget(), store("k2", namespace="a")
    records: list[Record] = [covered, mark, after]
    backup = checked(written(tmp_path, in_order(records)))
    assert list(backup.commands(Selection("u", "a"))) == [after]
    assert set(backup.commands(Selection())) == {mark, after}
