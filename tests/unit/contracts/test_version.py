"""Versions: UUIDv7 as text, ordered like the numbers that they are."""

from datetime import timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memlane.contracts.identifiers import Version
from memlane.contracts.instants import to_microseconds
from memlane.contracts.version import (
    MAX_MILLISECONDS,
    MAX_TAIL,
    make_version,
    split_version,
    successor,
    version_instant,
    version_milliseconds,
)

_milliseconds = st.integers(0, MAX_MILLISECONDS)
_tails = st.integers(0, MAX_TAIL) | st.sampled_from([0, MAX_TAIL, (1 << 62) - 1, 1 << 62])
_parts = st.tuples(_milliseconds, _tails)
_VERSION: TypeAdapter[str] = TypeAdapter(Version)


@given(parts=_parts)
def test_a_version_comes_apart_into_what_it_was_made_of(parts: tuple[int, int]) -> None:
    """`split_version` is the inverse of `make_version`."""
    assert split_version(make_version(*parts)) == parts


@given(parts=_parts)
def test_a_version_is_a_uuid_of_version_7(parts: tuple[int, int]) -> None:
    """In the form of RFC 9562, which the wire accepts."""
    version = make_version(*parts)
    assert _VERSION.validate_python(version) == version
    uuid = UUID(version)
    assert (str(uuid), uuid.version, uuid.variant) == (version, 7, RFC_4122)
    assert uuid.int >> 80 == parts[0]


@given(one=_parts, other=_parts)
def test_texts_are_ordered_like_the_numbers(one: tuple[int, int], other: tuple[int, int]) -> None:
    """By time, then by tail; so every store can compare them as text or as bytes."""
    left, right = make_version(*one), make_version(*other)
    assert (left < right) == (one < other)
    assert (left == right) == (one == other)
    assert (left < right) == (UUID(left).int < UUID(right).int)


@given(parts=st.tuples(st.integers(0, MAX_MILLISECONDS - 1), _tails))
def test_nothing_is_between_a_version_and_its_successor(parts: tuple[int, int]) -> None:
    """It is the very next one."""
    following = successor(make_version(*parts))
    assert following > make_version(*parts)
    milliseconds, tail = split_version(following)
    assert (milliseconds - parts[0]) * (MAX_TAIL + 1) + tail - parts[1] == 1


@given(milliseconds=st.integers(0, 253_402_300_799_999), tail=_tails)
def test_a_version_knows_its_instant(milliseconds: int, tail: int) -> None:
    """To the millisecond, up to the year 9999."""
    version = make_version(milliseconds, tail)
    assert version_milliseconds(version) == milliseconds
    assert to_microseconds(version_instant(version)) == milliseconds * 1000
    assert version_instant(version).utcoffset() == timedelta(0)
