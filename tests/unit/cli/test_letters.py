"""What a parked message says, whoever parked it and however bad it is."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from aio_pika.abc import AbstractIncomingMessage

from memlane.producers.cli.dead.letters import Letter, read_letter, record_of, without_copies
from tests.support.commands import delete, delete_namespace, forget, message, raw_message, raw_store, store

HEADERS = {
    "attempt": 4,
    "first-seen": "2026-01-01T00:00:00.000000Z",
    "error-class": "RefusedBySink",
    "error-text": "too large",
    "origin-lane": "redis",
}


# Any: headers as a broker may hold them.
def letter(body: bytes, headers: dict[str, Any] | None = None) -> Letter:
    """What a message from the queue of sqlite says."""
    found = SimpleNamespace(body=body, headers=HEADERS if headers is None else headers)
    return read_letter(cast("AbstractIncomingMessage", found), "sqlite")


def test_the_reason_comes_from_the_headers() -> None:
    """When, why, how often, where."""
    found = letter(message(store()))
    assert (found.parked, found.error, found.text) == (
        "2026-01-01T00:00:00.000000Z",
        "RefusedBySink",
        "too large",
    )
    assert (found.attempt, found.lane) == (4, "redis")


def test_commands_are_told_by_address_and_version() -> None:
    """Each kind with its scope."""
    stored, gone, below, all_ = store("k", namespace="a/b"), delete("k"), delete_namespace("a"), forget()
    commands = letter(message(stored, gone, below, all_)).commands
    assert [(one.version, one.what, one.where) for one in commands] == [
        (stored.id, "store", "u:a/b/k"),
        (gone.id, "delete address", "u:k"),
        (below.id, "delete namespace", "u:a/"),
        (all_.id, "delete user", "u"),
    ]


def test_of_a_bad_command_what_can_be_said_is_said() -> None:
    """And of a body that nobody can read, nothing."""
    bad, odd = letter(raw_message(raw_store(importance=99), 5)).commands
    assert (bad.what, bad.where) == ("bad store", "u:k")
    assert (odd.what, odd.where, odd.version) == ("unreadable", "", "")
    (unreadable,) = letter(b"\xff{").commands
    assert (unreadable.what, unreadable.value) == ("unreadable", "\ufffd{")


def test_values_are_only_shown_when_asked_for() -> None:
    """They are somebody's memory."""
    found = letter(message(store(value="secret")))
    assert "secret" not in str(record_of(found, values=False))
    assert record_of(found, values=True)["commands"][0]["value"] == '"secret"'


def test_copies_are_counted_not_repeated() -> None:
    """A worker that died between parking and acking parks once more."""
    one, other = message(store("a")), message(store("b"))
    found = without_copies([letter(one), letter(other), letter(one)])
    assert [(x.commands[0].where, x.copies) for x in found] == [("u:a", 2), ("u:b", 1)]


def test_what_the_broker_itself_parked_says_so() -> None:
    """After too many deliveries; its headers are the broker's own."""
    death = {"reason": "delivery_limit", "time": datetime(2026, 1, 1, tzinfo=UTC)}
    found = letter(message(store()), {"x-death": [death]})
    assert (found.parked, found.error) == ("2026-01-01T00:00:00.000000Z", "broker: delivery_limit")
    assert found.lane == "sqlite"


def test_a_message_that_somebody_put_there_by_hand_is_shown_as_well() -> None:
    """Without any header."""
    found = letter(message(store()), {"attempt": "x", "x-death": "y"})
    assert (found.parked, found.error, found.attempt) == ("", "unknown", 0)
