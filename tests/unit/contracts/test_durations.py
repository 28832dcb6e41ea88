"""Durations as people write them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from memlane.contracts.durations import Duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("5m", 300),
        ("2h", 7200),
        ("7d", 604_800),
        ("1w", 604_800),
        ("250ms", 0.25),
        ("1.5h", 5400),
        ("1h30m", 5400),
        ("0s", 0),
    ],
)
def test_a_number_and_a_unit(text: str, seconds: float) -> None:
    """Also several of them."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5x", "-5m", "5 m", "5m ", "\uff15m", "1e3s", "99999999999d"])
def test_anything_else_is_refused_with_the_rule(text: str) -> None:
    """A bare number has no unit: nobody knows what it means."""
    with pytest.raises(ValueError, match=r"is not a duration: a number and a unit|is too long"):
        parse_duration(text)


@given(st.integers(0, 10**6), st.sampled_from(["s", "m", "h", "d"]))
def test_whole_numbers_are_exact(number: int, unit: str) -> None:
    """No rounding on the way."""
    size = {"s": 1, "m": 60, "h": 3600, "d": 86_400}[unit]
    assert parse_duration(f"{number}{unit}") == timedelta(seconds=number * size)


@pytest.mark.parametrize("text", ["90s", "1m30s", "PT90S", "00:01:30"])
def test_settings_take_the_same_and_iso_8601(text: str) -> None:
    """Whichever somebody is used to."""
    assert TypeAdapter(Duration).validate_python(text) == timedelta(seconds=90)


@pytest.mark.parametrize("text", ["90", "soon", "5 parsecs", ""])
def test_a_setting_without_a_unit_is_refused(text: str) -> None:
    """It could mean anything."""
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_strings(text, strict=True)
