"""Instants: aware datetimes outside, whole microseconds where they are stored, RFC 3339 on the wire."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from memlane.contracts.instants import Instant, from_microseconds, now, to_microseconds, to_text
from memlane.storage.conformance.strategies import instants

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(instant=instants())
def test_microseconds_are_exact(instant: datetime) -> None:
    """From the year 1 to the year 9999."""
    assert from_microseconds(to_microseconds(instant)) == instant


@given(instant=instants())
def test_the_text_reads_back(instant: datetime) -> None:
    """In UTC, to the microsecond."""
    assert _INSTANT.validate_python(to_text(instant)) == instant
    assert to_text(instant).endswith("Z")


@given(instant=instants(1900), zone=_offsets)
def test_any_offset_is_the_same_instant(instant: datetime, zone: timezone) -> None:
    """In memory it is UTC."""
    elsewhere = instant.astimezone(zone) if instant.year < 9999 else instant
    for given_ in (elsewhere, elsewhere.isoformat()):
        found = _INSTANT.validate_python(given_)
        assert (found, found.tzinfo) == (instant, UTC)


@pytest.mark.parametrize("text", ["2026-01-31T08:30:00Z", "2026-01-31T08:30:00.123456789+00:00"])
def test_what_rfc_3339_allows(text: str) -> None:
    """Fractions of any length; what is below a microsecond is cut."""
    assert _INSTANT.validate_python(text).replace(microsecond=0) == datetime(2026, 1, 31, 8, 30, tzinfo=UTC)


@pytest.mark.parametrize("value", [datetime(2026, 1, 31), "2026-01-31T08:30:00", 0, 1.5, None, "now"])  # noqa: DTZ001
def test_what_has_no_offset_is_no_instant(value: object) -> None:
    """Nor is a number."""
    with pytest.raises(ValidationError):
        _INSTANT.validate_python(value)


def test_now_is_in_utc() -> None:
    """And aware."""
    assert now().tzinfo is UTC
