"""Which parked messages are meant."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memlane.contracts.instants import to_text
from memlane.producers.cli.dead.letters import Letter
from memlane.producers.cli.dead.selection import Selection
from tests.support.commands import message, raw_message, raw_store, store
from tests.unit.cli.parked import letter

NOW = datetime(2026, 1, 10, tzinfo=UTC)


def parked(body: bytes, error: str = "ValueError", age: timedelta | None = None) -> Letter:
    """A letter that a lane wrote so long ago."""
    headers: dict[str, Any] = {"error-class": error, "origin-lane": "sqlite"}
    return letter(body, headers if age is None else {**headers, "first-seen": to_text(NOW - age)})


def test_without_a_condition_everything_is_meant() -> None:
    """What `--all` says."""
    assert Selection().is_empty
    assert Selection().takes(parked(b"{"), NOW)


def test_by_the_version_of_a_command() -> None:
    """Whatever else is parked."""
    one, other = store(), store()
    selection = Selection(ids=frozenset({one.id}))
    assert selection.takes(parked(message(one)), NOW)
    assert not selection.takes(parked(message(other)), NOW)


def test_a_message_that_has_no_version_is_called_by_its_own_name() -> None:
    """Which every copy of it has, and no other message."""
    unreadable = parked(b"{")
    selection = Selection(ids=frozenset({unreadable.name}))
    assert selection.takes(parked(b"{", "other"), NOW)
    assert not selection.takes(parked(b"["), NOW)


def test_of_a_message_with_several_commands_all_can_be_wanted() -> None:
    """What is thrown away takes nothing with it that was not named."""
    one, other = store(), store()
    both = parked(message(one, other))
    assert Selection(ids=frozenset({one.id})).takes(both, NOW)
    assert not Selection(ids=frozenset({one.id}), every_command=True).takes(both, NOW)
    assert Selection(ids=frozenset({one.id, other.id}), every_command=True).takes(both, NOW)
    assert Selection(ids=frozenset({both.name}), every_command=True).takes(both, NOW)


def test_a_version_that_breaks_the_rules_can_be_named_as_well() -> None:
    """As the list shows it."""
    assert Selection(ids=frozenset({"x"})).takes(parked(raw_message(raw_store(id="x"))), NOW)


def test_by_the_class_of_error() -> None:
    """One of several, however it is written."""
    selection = Selection(errors=frozenset({"refusedbysink", "ValueError"}))
    assert selection.takes(parked(b"{", "RefusedBySink"), NOW)
    assert not selection.takes(parked(b"{", "MalformedMessage"), NOW)


@pytest.mark.parametrize(
    ("older", "newer", "meant"),
    [(1, None, True), (3, None, False), (None, 3, True), (None, 1, False), (1, 3, True), (3, 1, False)],
)
def test_by_age(older: int | None, newer: int | None, meant: bool) -> None:
    """Since a lane first failed at it; here two hours."""
    selection = Selection(
        older_than=None if older is None else timedelta(hours=older),
        newer_than=None if newer is None else timedelta(hours=newer),
    )
    assert selection.takes(parked(b"{", age=timedelta(hours=2)), NOW) is meant


def test_what_does_not_say_how_old_it_is_is_neither_old_nor_new() -> None:
    """Nothing is guessed."""
    for headers in ({}, {"first-seen": "yesterday"}, {"first-seen": 7}):
        found = letter(b"{", headers)
        assert not Selection(older_than=timedelta(0)).takes(found, NOW)
        assert not Selection(newer_than=timedelta(days=9999)).takes(found, NOW)


def test_all_conditions_must_hold() -> None:
    """They narrow down."""
    command = store()
    selection = Selection(ids=frozenset({command.id}), errors=frozenset({"Other"}))
    assert not selection.takes(parked(message(command)), NOW)
