"""Derived versions: the same in every run, rising by line, older than whatever has a time."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.clock import HybridClock
from memlane.contracts.command import StoreCommand
from memlane.contracts.version import version_instant
from memlane.producers.importers.versions import LINE_BITS, UNKNOWN_AGE, derived_version

INSTANTS = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
LINES = st.integers(1, (1 << LINE_BITS) - 1)


@given(INSTANTS, LINES, st.binary())
def test_a_version_is_the_same_in_every_run_and_valid(instant: datetime, line: int, content: bytes) -> None:
    """And its instant is the one that it was derived from, to the millisecond."""
    version = derived_version(instant, line, content)
    assert version == derived_version(instant, line, content)
    StoreCommand.model_validate({"id": version, "user_id": "u", "key": "k", "value": 1}, by_alias=True)
    assert timedelta(0) <= instant - version_instant(version) < timedelta(milliseconds=1)


@given(INSTANTS, st.lists(LINES, min_size=2, unique=True), st.binary())
def test_versions_rise_strictly_by_line(instant: datetime, lines: list[int], content: bytes) -> None:
    """Whatever the lines say."""
    versions = [derived_version(instant, line, content) for line in sorted(lines)]
    assert versions == sorted(set(versions))


@given(
    LINES, LINES, st.binary(), INSTANTS.filter(lambda instant: instant > UNKNOWN_AGE + timedelta(seconds=1))
)
def test_what_has_no_time_is_older_than_what_has_one(
    line: int, other: int, content: bytes, instant: datetime
) -> None:
    """Also where it stands further down."""
    assert derived_version(UNKNOWN_AGE, line, content) < derived_version(instant, other, content)


@given(LINES, st.binary())
def test_what_has_no_time_is_older_than_what_is_said_now(line: int, content: bytes) -> None:
    """An import never replaces what a user said."""
    assert derived_version(UNKNOWN_AGE, line, content) < HybridClock().next()


def test_other_content_is_another_version() -> None:
    """At the same place of another source."""
    assert derived_version(UNKNOWN_AGE, 1, b"one") != derived_version(UNKNOWN_AGE, 1, b"two")
