"""Fingerprints: what sinks compare to find out whether they hold the same."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.command import COMMAND, AnyCommand, ExpiredStore, StoreCommand
from memlane.contracts.entry import entry_from_row
from memlane.contracts.fingerprint import (
    BUCKETS,
    Digest,
    address_hash,
    bucket_of,
    command_hash,
    digest_of,
    entry_hash,
    weight,
)
from memlane.storage.conformance.commands import moment, store, version
from memlane.storage.conformance.strategies import any_command, any_store, identifiers

_hashes = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(hashes=st.lists(_hashes, max_size=10), cut=st.integers(0, 10))
def test_a_digest_is_additive(hashes: list[str], cut: int) -> None:
    """Of two parts together it is the sum; and a part can be taken away again."""
    whole, left, right = digest_of(hashes), digest_of(hashes[:cut]), digest_of(hashes[cut:])
    assert left.plus(right) == right.plus(left) == whole
    assert whole.minus(left) == right
    assert whole.plus(Digest()) == whole


@given(data=st.data(), hashes=st.lists(_hashes, max_size=10))
def test_the_order_does_not_matter(data: st.DataObject, hashes: list[str]) -> None:
    """Only what is in it."""
    assert digest_of(data.draw(st.permutations(hashes))) == digest_of(hashes)


@given(hash_=_hashes)
def test_a_weight_has_40_bits(hash_: str) -> None:
    """So that the sum of eight million fits into 63."""
    assert 0 <= weight(hash_) < 1 << 40
    assert weight("f" * 32) * 8_000_000 < 1 << 63


_FIELDS: dict[str, Any] = {
    "id": version(9),
    "user_id": "v",
    "namespace": "default/x",
    "key": "l",
    "value": "A value",
    "tags": ["t"],
    "importance": 6,
    "session_id": "s",
    "project_id": "s",
    "metadata": {"a": None},
    "created_at": moment(1) + timedelta(microseconds=1),
    "expires_at": moment(1),
}


@pytest.mark.parametrize("field", sorted(_FIELDS))
def test_every_field_changes_the_hash(field: str) -> None:
    """Two stores that differ in anything are told apart."""
    assert set(_FIELDS) | {"type"} == {info.alias or name for name, info in StoreCommand.model_fields.items()}
    plain = {"type": "store", "id": version(1), "user_id": "u", "key": "k", "value": "a value"}
    changed = COMMAND.validate_python({**plain, field: _FIELDS[field]})
    assert command_hash(changed) != command_hash(COMMAND.validate_python(plain))


def test_session_and_project_do_not_run_together() -> None:
    """The same texts in other fields give another hash."""
    fields: list[dict[str, Any]] = [
        {"session": "x"},
        {"project": "x"},
        {"tags": ["x"]},
        {"tags": ["x", "y"]},
        {"tags": ["x y"]},
        {"namespace": "x", "key": "y"},
        {"namespace": "x/y", "key": "k"},
        {"value": {}},
        {"metadata": {"x": 1}},
    ]
    assert len({command_hash(store(**some)) for some in fields}) == len(fields)


def test_defaults_that_are_said_outright_change_nothing() -> None:
    """`created_at` defaults to the version's instant."""
    assert command_hash(store(at=3, created_at=moment(3))) == command_hash(store(at=3))


def test_all_deletes_differ() -> None:
    """By scope too."""
    common = {"type": "delete", "id": version(1), "user_id": "u"}
    raws = [
        {**common, "scope": "user"},
        {**common, "scope": "namespace", "namespace": "default"},
        {**common, "scope": "address", "namespace": "default", "key": "k"},
        {**common, "scope": "address", "namespace": "default", "key": "default"},
    ]
    assert len({command_hash(COMMAND.validate_python(raw)) for raw in raws}) == len(raws)


@given(one=any_command(), other=any_command())
def test_hashes_are_equal_where_commands_are(one: AnyCommand, other: AnyCommand) -> None:
    """And have 32 hexadecimal digits. What is left of a store says itself which hash that had."""
    assert command_hash(one) == command_hash(one.model_copy())
    if not isinstance(one, ExpiredStore) and not isinstance(other, ExpiredStore):
        assert (command_hash(one) == command_hash(other)) == (one == other)
    assert len(command_hash(one)) == 32
    assert int(command_hash(one), 16) >= 0


@given(command=any_store())
def test_an_entry_has_the_hash_of_its_store(command: StoreCommand) -> None:
    """So that what is answered can be compared to what was sent."""
    entry = entry_from_row(
        command.address,
        version=command.id,
        value_json=command.value_json,
        metadata_json=command.metadata_json,
        tags=command.tags,
        importance=command.importance,
        session_id=command.session_id,
        project_id=command.project_id,
        created_us=command.created_us,
        expires_us=command.expires_us,
    )
    assert entry_hash(entry) == command_hash(command)


@given(user=identifiers(), namespace=identifiers(), key=identifiers())
def test_the_parts_of_an_address_do_not_run_together(user: str, namespace: str, key: str) -> None:
    """Nor does a scope look like an address."""
    places = {Address(user, namespace, key), (user, namespace), (user,), (user + namespace, key)}
    assert len({address_hash(*place) for place in places}) == 4
    assert all(0 <= bucket_of(address_hash(*place)) < BUCKETS for place in places)


def test_one_big_user_is_many_buckets() -> None:
    """And addresses spread evenly."""
    counts = [0] * BUCKETS
    for number in range(8 * BUCKETS):
        counts[bucket_of(address_hash("u", "default", f"k{number}"))] += 1
    assert counts.count(0) < BUCKETS // 100
    assert max(counts) < 40
