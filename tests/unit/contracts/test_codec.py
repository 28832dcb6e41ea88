"""The codec: what one side writes, the other reads; the wire is JSON that anybody can write."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.codec import (
    MAX_COMMAND_BYTES,
    decode_message,
    encode_command,
    encode_envelope,
    encode_message,
)
from memlane.contracts.command import COMMAND, AnyCommand, CommandEnvelope
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.limits import MAX_COMMANDS, MAX_MESSAGE_BYTES
from memlane.storage.conformance.commands import moment, store, version
from memlane.storage.conformance.strategies import any_command


@given(commands=st.lists(any_command(), min_size=1, max_size=5))
def test_any_commands_come_back_as_they_were_sent(commands: list[AnyCommand]) -> None:
    """All fields, in order, and none of them bad."""
    decoded = decode_message(encode_message(commands))
    assert (decoded.commands, decoded.bad) == (commands, [])


@given(command=any_command())
def test_what_is_written_is_what_the_schema_says(command: AnyCommand) -> None:
    """The body is UTF-8 JSON that the published model accepts, without white space."""
    body = encode_message([command])
    assert CommandEnvelope.model_validate_json(body).commands == [command]
    tree = json.loads(body)
    assert COMMAND.validate_python(tree["commands"][0]) == command
    assert b"\n" not in body


@given(commands=st.lists(any_command(), min_size=1, max_size=3))
def test_encoded_commands_can_be_put_together_later(commands: list[AnyCommand]) -> None:
    """As a client does with the stores that queue behind the publish in flight."""
    assert encode_envelope([encode_command(command) for command in commands]) == encode_message(commands)


def test_a_plain_store_says_only_what_it_must() -> None:
    """Fields that have their default are left out."""
    body = encode_message([store("favorite", "blue", at=1)])
    assert json.loads(body) == {
        "schema": 1,
        "commands": [{"type": "store", "id": version(1), "user_id": "u", "key": "favorite", "value": "blue"}],
    }


def test_a_store_as_anybody_would_write_it() -> None:
    """Absent fields have their defaults, nulls are absent, instants may have any offset."""
    raw = {
        "type": "store",
        "id": version(1),
        "user_id": "u",
        "key": "k",
        "value": None,
        "tags": ["b", "a", "b"],
        "session_id": None,
        "created_at": "2026-01-31T09:30:00+01:00",
        "expires_at": "2026-01-31T08:30:01.5Z",
    }
    (command,) = decode_message(json.dumps({"commands": [raw], "schema": 1}).encode()).commands
    expected = store(value=None, tags=["a", "b"], created_at=moment(0), expires_at=moment(1.5))
    assert command == expected


def test_a_message_of_500_commands_is_allowed() -> None:
    """The most there can be."""
    commands = [store(f"k{n}") for n in range(MAX_COMMANDS)]
    assert decode_message(encode_message(commands)).commands == commands


@pytest.mark.parametrize("count", [0, MAX_COMMANDS + 1])
def test_too_few_and_too_many_are_not_written(count: int) -> None:
    """1 to 500."""
    with pytest.raises(MalformedMessage, match="1 to 500") as caught:
        encode_message([store(f"k{n}") for n in range(count)])
    assert caught.value.field == "commands"


def test_the_largest_command_fills_a_message() -> None:
    """To the byte; UTF-8 bytes, not characters."""
    overhead = len(encode_command(store(value="")))
    largest = "é" * ((MAX_COMMAND_BYTES - overhead) // 2) + "x" * ((MAX_COMMAND_BYTES - overhead) % 2)
    body = encode_message([store(value=largest)])
    assert len(body) == MAX_MESSAGE_BYTES
    assert decode_message(body).commands[0] == store(value=largest)
    with pytest.raises(InvalidInput, match="at most 1,048,576") as caught:
        encode_command(store(value=largest + "x"))
    assert caught.value.field == "value"


def test_a_message_larger_than_a_mebibyte_is_not_written() -> None:
    """However small its commands are."""
    with pytest.raises(MalformedMessage, match="1,048,576"):
        encode_message([store(f"k{n}", "x" * 300_000) for n in range(4)])
