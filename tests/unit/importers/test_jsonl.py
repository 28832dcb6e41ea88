"""A line into a command, or into what is wrong with it."""

import io
import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import (
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.entry import encode_entry, entry_from_row
from memlane.contracts.errors import VersionFromFuture
from memlane.contracts.version import make_version, version_instant
from memlane.producers.importers.jsonl import BadLine, GoodLine, Reading, read_jsonl
from memlane.producers.importers.versions import UNKNOWN_AGE

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VERSION = "01890a5d-ac96-774b-bcce-b302099a8057"


# Any, here and below: a line may hold anything; that is what the tests are about.
def line(**fields: Any) -> dict[str, Any]:
    """A line that can be imported, with these fields changed or added."""
    return {"user_id": "u", "key": "k", "value": "v", **fields}


def read(*lines: Any, as_of: datetime | None = None) -> list[GoodLine | BadLine]:
    """What these lines come to."""
    texts = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in lines]
    return list(read_jsonl(io.BytesIO(b"\n".join(texts)), Reading(as_of=as_of, now=lambda: NOW)))


class Stored(NamedTuple):
    """A good line that is an entry."""

    command: StoreCommand
    dated: bool


def good(*lines: Any, as_of: datetime | None = None) -> list[Stored]:
    """The same, of lines that are all good entries."""
    found = [
        Stored(one.command, one.dated)
        for one in read(*lines, as_of=as_of)
        if isinstance(one, GoodLine) and isinstance(one.command, StoreCommand)
    ]
    assert len(found) == len(lines)
    return found


def bad(one: Any) -> BadLine:
    """What is wrong with a line."""
    (found,) = read(one)
    assert isinstance(found, BadLine)
    return found


def test_the_wires_fields_are_taken_and_all_others_go_into_the_metadata() -> None:
    """As the shared data has `turn` and `utterance`."""
    (one,) = good(
        line(
            namespace="food/likes",
            tags=["b", "a"],
            importance=7,
            session_id="s",
            project_id="p",
            metadata={"source": "chat"},
            created_at="2020-01-01T00:00:00Z",
            expires_at="2030-01-01T00:00:00Z",
            turn=4,
            utterance="I like it",
        )
    )
    command = one.command
    assert command.namespace == "food/likes"
    assert command.tags == ("a", "b")
    assert (command.importance, command.session_id, command.project_id) == (7, "s", "p")
    assert command.metadata == {"source": "chat", "turn": 4, "utterance": "I like it"}
    assert command.created_at == datetime(2020, 1, 1, tzinfo=UTC)
    assert command.expires_at == datetime(2030, 1, 1, tzinfo=UTC)


def test_what_is_null_counts_as_absent_but_a_value_may_be_null() -> None:
    """Exports write null for what they don't have."""
    (one,) = good(line(value=None, namespace=None, tags=None, importance=None, metadata=None, version=None))
    assert one.command.value is None
    assert one.command.namespace == "default"
    assert one.dated is False


@pytest.mark.parametrize(
    ("fields", "instant", "dated"),
    [
        ({}, UNKNOWN_AGE, False),
        ({"created_at": "2020-01-01T00:00:00Z"}, datetime(2020, 1, 1, tzinfo=UTC), True),
        (
            {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2021-01-01T01:00:00+01:00"},
            datetime(2021, 1, 1, tzinfo=UTC),
            True,
        ),
        ({"version": VERSION, "updated_at": "2021-01-01T00:00:00Z"}, version_instant(VERSION), True),
    ],
)
def test_the_versions_time_is_the_lines_own(fields: dict[str, Any], instant: datetime, dated: bool) -> None:
    """Its version's, else when it was updated, else when it was made, else unknown."""
    (one,) = good(line(**fields))
    assert version_instant(one.command.id) == instant
    assert one.dated is dated
    assert "updated_at" not in one.command.metadata


def test_as_of_dates_the_lines_that_have_no_time_and_no_others() -> None:
    """It says from when the source is."""
    as_of = datetime(2022, 2, 2, tzinfo=UTC)
    undated, dated = good(line(), line(updated_at="2020-01-01T00:00:00Z"), as_of=as_of)
    assert version_instant(undated.command.id) == as_of
    assert version_instant(dated.command.id) == datetime(2020, 1, 1, tzinfo=UTC)


@given(st.lists(st.sampled_from(["a", "b", "c"]), min_size=1))
def test_the_last_line_of_an_address_has_its_highest_version(values: list[str]) -> None:
    """So the last value said is the one that is kept, in whatever order the lines arrive."""
    commands = [one.command for one in good(*(line(value=value) for value in values))]
    assert max(commands, key=lambda command: command.id).value == values[-1]
    assert [c.id for c in commands] == sorted({c.id for c in commands})


def test_a_file_that_grew_keeps_the_versions_that_it_had() -> None:
    """So that importing it again repeats what was there."""
    before, after = good(line(value=1), line(value=2)), good(line(value=1), line(value=2), line(value=3))
    assert [one.command.id for one in before] == [one.command.id for one in after[:2]]


def test_an_entry_as_list_writes_it_comes_back_as_it_was() -> None:
    """`memlane list --json` is a source like any other."""
    (one,) = good(line(version=VERSION, tags=["t"], metadata={"m": [1]}, created_at="2020-01-01T00:00:00Z"))
    command = one.command
    entry = entry_from_row(
        command.address,
        version=command.id,
        value_json=command.value_json,
        metadata_json=command.metadata_json,
        tags=command.tags,
        importance=command.importance,
        session_id=None,
        project_id=None,
        created_us=command.created_us,
        expires_us=None,
    )
    (again,) = good(encode_entry(entry).encode())
    assert again.command == command


@pytest.mark.parametrize(
    ("content", "field", "problem"),
    [
        (b"not json", "line", "not JSON"),
        (b"[1]", "line", "must be a JSON object"),
        (b'{"a": 1, "a": 2}', "line", "stands twice"),
        (b"\xff", "line", "not UTF-8"),
        ({"user_id": "u", "key": "k"}, "value", "required"),
        (line(user_id=5), "user_id", "string"),
        (line(importance=11), "importance", "less than or equal to 10"),
        (line(namespace="a//b"), "namespace", "does not follow the rule"),
        (line(version="1"), "version", "UUIDv7"),
        (line(created_at="2026-01-01"), "created_at", "RFC 3339"),
        (line(updated_at="2026-01-01T00:00:00"), "updated_at", "RFC 3339"),
        (line(updated_at="1969-12-31T23:59:59Z"), "updated_at", "before 1970"),
        (line(metadata=[1]), "metadata", "must be an object"),
        (line(metadata=[1], more=1), "metadata", "must be an object"),
        (line(metadata={"more": 1}, more=1), "more", "beside the metadata and in it"),
        (b'{"user_id": "u", "key": "k", "value": NaN}', "value", "NaN"),
        (b'{"user_id": "u", "key": "k", "value": "\\ud800"}', "value", "surrogate"),
    ],
)
def test_a_bad_line_is_told_by_number_field_and_reason(content: Any, field: str, problem: str) -> None:
    """And never by its value."""
    found = bad(content)
    assert found.number == 1
    assert found.error.field == field
    assert problem in found.error.problem


def test_a_line_from_the_future_is_refused_by_the_lanes_own_rule() -> None:
    """Five minutes ahead is allowed; applied, a later one would win for ever."""
    within = NOW + timedelta(minutes=5)
    good(line(updated_at=within.isoformat()))
    found = bad(line(updated_at=(within + timedelta(seconds=1)).isoformat()))
    assert isinstance(found.error, VersionFromFuture)


def test_a_value_that_no_message_can_carry_is_told_of() -> None:
    """Before anything is sent."""
    found = bad(line(value="x" * 1_100_000))
    assert found.error.field == "value"
    assert "a message at most" in found.error.problem


def test_good_lines_around_bad_ones_are_read() -> None:
    """In order, with their numbers."""
    found = read(line(key="a"), b"", b"{", line(key="b"))
    assert [(one.number, isinstance(one, GoodLine)) for one in found] == [(1, True), (3, False), (4, True)]


def test_deletes_and_what_has_expired_are_taken_as_they_stand_on_the_wire() -> None:
    """Under their own versions: what an export with deletes writes."""
    lines = [
        {"type": "delete", "scope": "address", "id": VERSION, "user_id": "u", "key": "k"},
        {"type": "delete", "scope": "namespace", "id": VERSION, "user_id": "u", "namespace": "a"},
        {"type": "delete", "scope": "user", "id": VERSION, "user_id": "u"},
        {"type": "expired", "id": VERSION, "user_id": "u", "key": "k", "hash": "0" * 32},
    ]
    found = [one for one in read(*lines) if isinstance(one, GoodLine)]
    assert [one.command for one in found] == [
        DeleteAddress(id=VERSION, user_id="u", key="k"),
        DeleteNamespace(id=VERSION, user_id="u", namespace="a"),
        DeleteUser(id=VERSION, user_id="u"),
        ExpiredStore(id=VERSION, user_id="u", key="k", hash="0" * 32),
    ]
    assert all(one.dated for one in found)


def test_an_entry_that_has_a_type_of_its_own_is_an_entry() -> None:
    """The field goes into the metadata, like every other; a line with a value is never a delete."""
    found = good(line(type="delete"), line(type="note"), line(type=["delete"]))
    assert [one.command.metadata for one in found] == [
        {"type": "delete"},
        {"type": "note"},
        {"type": ["delete"]},
    ]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"scope": "everything"}, "scope"),
        ({"scope": "user", "key": "k"}, "key"),
        ({"scope": "address"}, "key"),
        ({"scope": "user", "id": "x"}, "id"),
        ({}, "scope"),
    ],
)
def test_a_delete_that_the_wire_does_not_allow_is_a_bad_line(fields: dict[str, Any], field: str) -> None:
    """A missing field never widens it."""
    found = bad({"type": "delete", "id": VERSION, "user_id": "u", **fields})
    assert field in found.error.field


def test_a_delete_from_the_future_is_refused() -> None:
    """It would win for ever."""
    ahead = make_version(int((NOW + timedelta(days=1)).timestamp() * 1000), 0)
    found = bad({"type": "delete", "scope": "user", "id": ahead, "user_id": "u"})
    assert isinstance(found.error, VersionFromFuture)


def test_an_entry_with_a_version_may_be_older_than_versions_are() -> None:
    """Its time of creation is kept as it is."""
    (one,) = good(line(version=VERSION, created_at="1950-01-01T00:00:00Z"))
    assert one.command.created_at == datetime(1950, 1, 1, tzinfo=UTC)
