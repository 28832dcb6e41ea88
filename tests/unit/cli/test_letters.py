"""What a parked message says, whoever parked it and however bad it is."""

import json
from datetime import UTC, datetime

from memlane.producers.cli.dead.letters import record_of, without_copies
from tests.support.commands import delete, delete_namespace, forget, message, raw_message, raw_store, store
from tests.unit.cli.parked import letter


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
    again = letter(one, {"error-class": "Other"})
    found = without_copies([letter(one), letter(other), again])
    assert [(x.commands[0].where, x.copies) for x in found] == [("u:a", 2), ("u:b", 1)]


def test_what_the_broker_itself_parked_says_so() -> None:
    """After too many deliveries; its headers are the broker's own."""
    death = {"reason": "delivery_limit", "time": datetime(2026, 1, 1, tzinfo=UTC)}
    found = letter(message(store()), {"x-death": [death], "error-class": "Claimed"})
    assert (found.parked, found.error) == ("2026-01-01T00:00:00.000000Z", "broker: delivery_limit")
    assert found.lane == "sqlite"


def test_a_message_that_somebody_put_there_by_hand_is_shown_as_well() -> None:
    """Without any header."""
    found = letter(message(store()), {"attempt": "x", "x-death": "y"})
    assert (found.parked, found.error, found.attempt) == ("", "unknown", 0)


def test_the_same_commands_are_copies_however_they_are_written() -> None:
    """What the broker parked is as its producer wrote it, what a lane parked is not."""
    fields = raw_store()
    loose = json.dumps({"commands": [fields], "schema": 1}, indent=2).encode()
    assert letter(loose).identity == letter(raw_message(fields)).identity
    assert letter(loose).identity != letter(raw_message({**fields, "value": 2})).identity
    assert letter(loose).name == letter(raw_message(fields)).name
