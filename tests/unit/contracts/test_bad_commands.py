"""Bad commands: each error names the field and the limit, and good neighbours survive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.codec import decode_message
from memlane.contracts.errors import InvalidInput
from memlane.storage.conformance.commands import store, version

_ID = version(1)
_GOOD: dict[str, Any] = {"type": "store", "id": _ID, "user_id": "u", "key": "k", "value": "a value"}
_DELETE = {"type": "delete", "id": _ID, "user_id": "u"}
_VERSION_4 = _ID[:14] + "4" + _ID[15:]

_BAD_STORES: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "stor"}, "type", "expected one of 'store', 'expired', 'delete'"),
    ({"type": 1}, "type", "expected one of"),
    ({"type": None}, "type", "expected one of"),
    ({"type": "\ud800"}, "type", "expected one of"),
    ({"id": _ID.upper()}, "id", "UUIDv7 in lower case"),
    ({"id": _VERSION_4}, "id", "UUIDv7"),
    ({"id": "00000000-0000-0000-0000-000000000000"}, "id", "UUIDv7"),
    ({"id": _ID[:-1]}, "id", "UUIDv7"),
    ({"id": _ID + "\n"}, "id", "UUIDv7"),
    ({"id": f"urn:uuid:{_ID}"}, "id", "UUIDv7"),
    ({"id": 1}, "id", "string"),
    ({"id": _ID.replace("-", "")}, "id", "UUIDv7"),
    ({"id": _ID[:19] + "7" + _ID[20:]}, "id", "UUIDv7"),
    ({"user_id": ""}, "user_id", "at least 1 character"),
    ({"user_id": "x" * 256}, "user_id", "at most 255"),
    ({"user_id": None}, "user_id", "valid string"),
    ({"user_id": 1}, "user_id", "valid string"),
    ({"user_id": "a\nb"}, "user_id", "no control characters"),
    ({"user_id": "\x00"}, "user_id", "no control"),
    ({"user_id": "\x7f"}, "user_id", "no control characters"),
    ({"user_id": "\x85"}, "user_id", "no control"),
    ({"key": "\ud800"}, "key", "unicode"),
    ({"key": ["k"]}, "key", "valid string"),
    ({"key": ""}, "key", "at least 1"),
    ({"namespace": ""}, "namespace", "at least 1"),
    ({"namespace": "/a"}, "namespace", "between single slashes"),
    ({"namespace": "a/"}, "namespace", "single slashes"),
    ({"namespace": "a//b"}, "namespace", "single slashes"),
    ({"namespace": "a/" * 16 + "b"}, "namespace", "1 to 16 parts"),
    ({"namespace": "\ud800"}, "namespace", "unicode"),
    ({"namespace": "/".join(["x" * 127] * 3)}, "namespace", "at most 255"),
    ({"namespace": None}, "namespace", "string"),
    ({"tags": "ab"}, "tags", "tuple"),
    ({"tags": ["a", 1]}, "tags.1", "valid string"),
    ({"tags": None}, "tags", "tuple"),
    ({"tags": [""]}, "tags.0", "at least 1"),
    ({"tags": [str(n) for n in range(101)]}, "tags", "at most 100"),
    ({"importance": 0}, "importance", "greater than or equal to 1"),
    ({"importance": 11}, "importance", "equal to 10"),
    ({"importance": True}, "importance", "integer"),
    ({"importance": 5.0}, "importance", "integer"),
    ({"importance": "5"}, "importance", "integer"),
    ({"importance": None}, "importance", "integer"),
    ({"session_id": ""}, "session_id", "at least 1"),
    ({"project_id": 5}, "project_id", "valid string"),
    ({"metadata": []}, "metadata", "must be an object"),
    ({"metadata": None}, "metadata", "must be an object"),
    ({"metadata": {"a": ["\ud800"]}}, "metadata.a.0", "lone surrogate"),
    ({"metadata": "{}"}, "metadata", "object"),
    ({"value": "\ud800"}, "value", "lone surrogate"),
    ({"value": {"a": [1, "\udc00"]}}, "value.a.1", "lone surrogate"),
    ({"value": {"\ud800": 1}}, "value", "in a key: a lone surrogate"),
    ({"created_at": "2026-01-31T08:30:00"}, "created_at", "with an offset"),
    ({"created_at": 1_769_848_200}, "created_at", "RFC 3339"),
    ({"created_at": 1.5}, "created_at", "RFC 3339"),
    ({"created_at": "1769848200"}, "created_at", "RFC 3339"),
    ({"created_at": "2026-01-31"}, "created_at", "RFC 3339"),
    ({"created_at": ""}, "created_at", "RFC 3339"),
    ({"created_at": True}, "created_at", "RFC 3339"),
    ({"created_at": "2026-02-30T08:30:00Z"}, "created_at", "RFC 3339"),
    ({"created_at": "2026-01-31T08:30:00Z\n"}, "created_at", "RFC 3339"),
    ({"created_at": "\uff12026-01-31T08:30:00Z"}, "created_at", "RFC 3339"),
    ({"created_at": "0001-01-01T00:00:00+12:00"}, "created_at", "years 1 to 9999"),
    ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at", "years 1 to 9999"),
    ({"expires_at": "2026-01-31T08:30:00"}, "expires_at", "with an offset"),
    ({"expires_at": 0}, "expires_at", "RFC"),
    ({"ttl": 5}, "ttl", "not permitted"),
    ({"user": "u"}, "user", "not permitted"),
    ({"scope": "user"}, "scope", "not perm"),
    ({"value_json": 1}, "value_json", "not permitted"),
    ({"metadata_json": {}}, "metadata_json", "not permitted"),
    ({"": 1}, "", "not permitted"),
]

_BAD_DELETES: list[tuple[dict[str, Any], str, str]] = [
    ({"scope": "all"}, "scope", "expected one of 'address', 'namespace', 'user'"),
    ({}, "scope", "field required"),
    ({"scope": None}, "scope", "expected one of"),
    ({"scope": "user", "namespace": "a"}, "namespace", "not permitted"),
    ({"scope": "namespace"}, "namespace", "field required"),
    ({"scope": "address"}, "key", "field required"),
    ({"scope": "namespace", "namespace": "a", "key": "k"}, "key", "not permitted"),
    ({"scope": "namespace", "namespace": None}, "namespace", "valid string"),
    ({"scope": "namespace", "namespace": ""}, "namespace", "at least 1"),
    ({"scope": "user", "key": "k"}, "key", "not permitted"),
    ({"scope": "user", "value": 1}, "value", "not permitted"),
    ({"scope": "user", "user_id": ""}, "user_id", "at least 1"),
    ({"scope": "user", "id": "x"}, "id", "UUIDv7"),
]

_BAD_TEXTS = [
    ('{"a":1,"a":2}', "value", "'a' stands twice"),
    ("NaN", "value", "NaN is not a JSON number"),
    ('[1,{"b":-Infinity}]', "value.1.b", "-Infinity is not"),
    ("1e999", "value", "NaN and infinite"),
    ("1" * 5000, "value", "integer of 5000 digits, at most 4000"),
    ("[" * 65 + "]" * 65, "value", "deeper than 64"),
    ('{"a":{"b":1,"b":1}}', "value.a", "'b' stands twice"),
    ("[" * 900 + "]" * 900, "value", "deeper than 64"),
    ('1,"key":"again"', "", "'key' stands twice"),
    ('1,"importance":NaN', "importance", "integer"),
    ('1,"tags":{"a":1,"a":1}', "tags", "tuple"),
    ('1,"metadata":{"a":1,"a":1}', "metadata", "'a' stands twice"),
    ('1,"user":{"a":1,"a":1}', "user", "not permitted"),
    ('1,"importance":' + "9" * 5000, "importance", "integer"),
]


def _message(*commands: object) -> bytes:
    return json.dumps({"schema": 1, "commands": commands}).encode()


def _check(body: bytes, field: str, problem: str) -> None:
    """The second of three commands is bad, by that field and problem; the others are good."""
    decoded = decode_message(body)
    assert decoded.commands == [store(at=1), store(at=1)]
    (bad,) = decoded.bad
    assert (bad.index, type(bad.error)) == (1, InvalidInput)
    expected = f"commands.1.{field}" if field else "commands.1"
    assert bad.error.field.rstrip(".") == expected or bad.error.field.startswith(f"{expected}.0.0.0")
    assert problem in bad.error.problem
    assert bad.error.field in str(bad.error)


@pytest.mark.parametrize(("change", "field", "problem"), _BAD_STORES, ids=ascii)
def test_a_bad_store(change: dict[str, Any], field: str, problem: str) -> None:
    """Is named by its field and the rule."""
    _check(_message(_GOOD, {**_GOOD, **change}, _GOOD), field, problem)


@pytest.mark.parametrize("field", ["type", "id", "user_id", "key", "value"])
def test_a_store_that_lacks_a_field(field: str) -> None:
    """Is told which one."""
    _check(_message(_GOOD, {k: v for k, v in _GOOD.items() if k != field}, _GOOD), field, "field required")


@pytest.mark.parametrize(("change", "field", "problem"), _BAD_DELETES, ids=ascii)
def test_a_bad_delete(change: dict[str, Any], field: str, problem: str) -> None:
    """A missing field never widens a delete, and one too many never narrows it."""
    _check(_message(_GOOD, {**_DELETE, **change}, _GOOD), field, problem)


@pytest.mark.parametrize(("text", "field", "problem"), _BAD_TEXTS, ids=lambda text: ascii(text)[:40])
def test_a_bad_text(text: str, field: str, problem: str) -> None:
    """What JSON leaves open, or Python would take, is refused where it stands."""
    bad = json.dumps({**_GOOD, "value": "?"}).replace('"?"', text)
    good = json.dumps(_GOOD)
    _check(f'{{"schema":1,"commands":[{good},{bad},{good}]}}'.encode(), field, problem)


@pytest.mark.parametrize("raw", [None, True, 1, 1.5, "store", [], [_GOOD], {}])
def test_what_is_not_even_a_command(raw: object) -> None:
    """Any JSON value may stand in the list."""
    decoded = decode_message(_message(_GOOD, raw, _GOOD))
    assert len(decoded.commands) == 2
    assert decoded.bad[0].error.field.startswith("commands.1")
    assert decoded.bad[0].raw == raw


def test_a_long_integer_with_a_sign_beside_a_bad_one() -> None:
    """4,000 digits are allowed, whatever stands beside them."""
    long = "-" + "9" * 4000
    template = json.dumps({**_GOOD, "value": "?"})
    bad, good = (template.replace('"?"', digits) for digits in ("1" * 5000, long))
    decoded = decode_message(f'{{"schema":1,"commands":[{bad},{good}]}}'.encode())
    assert [command.id for command in decoded.commands] == [_ID]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    changes=st.dictionaries(
        st.sampled_from([*_GOOD, "namespace", "tags", "importance", "metadata", "expires_at", "scope"])
        | st.text(),
        _JSON,
        max_size=4,
    )
)
def test_any_command_is_good_or_bad(changes: dict[str, Any]) -> None:
    """Whatever JSON stands in whatever field: a command, or an error with its place and text."""
    decoded = decode_message(_message(_GOOD, {**_GOOD, **changes}, _GOOD))
    assert len(decoded.commands) + len(decoded.bad) == 3
    assert len(decoded.commands) >= 2
    for bad in decoded.bad:
        assert bad.error.field.startswith("commands.1")
        assert bad.error.problem
