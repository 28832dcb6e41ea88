"""Canonical JSON: one text for one value."""

import contextlib
import json
from datetime import timedelta
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.canonical import Json, canonical, parse
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.limits import MAX_INTEGER_DIGITS, MAX_JSON_DEPTH
from memlane.storage.conformance.strategies import json_values


def _shape(value: Json) -> object:
    """The value, so that 1, 1.0 and true, and 0.0 and -0.0, are different."""
    if isinstance(value, dict):
        return {key: _shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shape(item) for item in value]
    return type(value).__name__, repr(value)


@given(value=json_values())
def test_a_text_reads_back_as_the_same_value(value: Json) -> None:
    """Nothing is rounded, folded or lost."""
    assert _shape(json.loads(canonical(value))) == _shape(value)
    assert _shape(parse(canonical(value).encode())) == _shape(value)


@given(value=json_values())
def test_it_is_idempotent(value: Json) -> None:
    """The text of the text's value is the text."""
    assert canonical(parse(canonical(value))) == canonical(value)


@given(one=json_values(3), other=json_values(3))
def test_equal_texts_are_equal_values(one: Json, other: Json) -> None:
    """And the other way round."""
    assert (canonical(one) == canonical(other)) == (_shape(one) == _shape(other))


@given(items=st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), json_values(2)))
def test_the_order_of_keys_does_not_matter(items: dict[str, Json]) -> None:
    """Objects are sorted, at every level."""
    backwards = dict(reversed(items.items()))
    assert canonical([items]) == canonical([backwards])


@given(value=json_values())
def test_the_text_is_valid_utf_8_without_white_space_or_control_characters(value: Json) -> None:
    """So that it fits into any store's text, and no separator can be forged."""
    text = canonical(value)
    text.encode()
    assert not any(char < " " for char in text)
    assert json.dumps(json.loads(text), ensure_ascii=False, sort_keys=True, separators=(",", ":")) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"b":1,"a":[ 1.0 , true ]}', '{"a":[1.0,true],"b":1}'),
        ('"\\u00e9\\ud83d\\ude42"', '"é🙂"'),
        ("1E16", "1e+16"),
        ("1e2", "100.0"),
        ("-0", "0"),
        ("-0.0", "-0.0"),
        ("0.1e1", "1.0"),
        ('"\\/"', '"/"'),
        ('{"\\uffff":1,"\\ud83d\\ude42":2}', '{"\uffff":1,"🙂":2}'),
        ("[]", "[]"),
        (" null ", "null"),
    ],
)
def test_one_text_for_one_value(text: str, expected: str) -> None:
    """Whatever way it was written."""
    assert canonical(parse(text)) == expected


@pytest.mark.parametrize(
    ("value", "field", "problem"),
    [
        (float("nan"), "value", "NaN and infinite"),
        ([1, {"a": float("inf")}], "value.1.a", "NaN and infinite"),
        ("\ud800", "value", "lone surrogate"),
        ({"a": ["x", "\udfff"]}, "value.a.1", "lone surrogate"),
        ({"a": {"\ud800": 1}}, "value.a", "in a key: a lone surrogate"),
        ({1: 2}, "value", "the key 1 is not text"),
        ([b"x"], "value.0", "bytes is not a JSON type"),
        ({"a": {1, 2}}, "value.a", "set is not a JSON type"),
        (10**MAX_INTEGER_DIGITS, "value", "at most 4000 digits"),
        ([-(10**MAX_INTEGER_DIGITS)], "value.0", "at most 4000 digits"),
    ],
)
def test_what_is_not_json_is_refused_by_its_place(value: Json, field: str, problem: str) -> None:
    """The error names the field with the path inside the value, and the rule."""
    with pytest.raises(InvalidInput, match=problem) as caught:
        canonical(value)
    assert caught.value.field == field


def test_the_deepest_and_the_longest_are_allowed() -> None:
    """64 levels, integers of 4,000 digits, with or without a sign."""
    deepest = "[" * MAX_JSON_DEPTH + "]" * MAX_JSON_DEPTH
    assert canonical(parse(deepest)) == deepest
    for text in ("9" * MAX_INTEGER_DIGITS, "-" + "9" * MAX_INTEGER_DIGITS):
        assert canonical(parse(text)) == text
        assert canonical(parse(f"[{text},{'0.' + '1' * 5000}]")).startswith(f"[{text},")


def test_one_level_more_is_refused() -> None:
    """With the limit."""
    with pytest.raises(InvalidInput, match="deeper than 64 levels"):
        canonical(parse("[" * (MAX_JSON_DEPTH + 1) + "]" * (MAX_JSON_DEPTH + 1)))


@pytest.mark.parametrize("depth", [500, 900, 990, 1000, 1010, 5000, 400_000])
def test_no_depth_breaks_the_parser(depth: int) -> None:
    """It is refused as too deep, whatever the interpreter's own limit is."""
    with pytest.raises((InvalidInput, MalformedMessage), match="deeper than 64 levels"):
        canonical(parse(b"[" * depth + b"]" * depth))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":1,"a":1}', "'a' stands twice"),
        ('[{"b":{"a":1,"x":2,"a":3}}]', "'a' stands twice"),
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not"),
        ("1e999", "NaN and infinite"),
        ("1" * 5000, "integer of 5000 digits"),
        ("-" + "1" * 4001, "integer of 4001 digits"),
    ],
)
def test_what_json_leaves_open_is_refused(text: str, problem: str) -> None:
    """Only where its value is used: the tree around it can still be read."""
    with pytest.raises(InvalidInput, match=problem):
        canonical(parse(text))


@given(body=st.binary(max_size=60) | st.text(max_size=30).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_are_a_tree_or_malformed(body: bytes) -> None:
    """Nothing else comes out of the parser."""
    with contextlib.suppress(MalformedMessage):
        parse(body)


def test_the_cost_is_in_proportion_to_the_size() -> None:
    """A message that was made to be slow, of long keys with many items or of nearly equal keys, is not."""
    many_keys = "{" + ",".join(f'"{n:x}":1' for n in range(60_000)) + ',"ea5f":1}'
    key, items = "k" * 400_000, ",".join(["1"] * 200_000)
    long_path, surrogate = f'{{"{key}":[{items}]}}', f'{{"{key}":[{items},"\\ud800"]}}'
    started = perf_counter()
    for text in (many_keys, long_path, surrogate):
        with contextlib.suppress(InvalidInput):
            canonical(parse(text))
    assert perf_counter() - started < timedelta(seconds=5).total_seconds()
