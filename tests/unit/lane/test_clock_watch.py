"""Several producers ahead mean that the worker is behind; one means that it is itself ahead."""

from datetime import UTC, datetime, timedelta

from memlane.workers.lane.clock_watch import ClockWatch

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def watch(**ahead: bool) -> ClockWatch:
    """A watch that saw these producers now."""
    clocks = ClockWatch()
    for producer, is_ahead in ahead.items():
        clocks.saw(producer, ahead=is_ahead, now=NOW)
    return clocks


def test_nobody_seen_proves_nothing() -> None:
    """The worker trusts its own clock."""
    assert not watch().worker_is_behind(NOW)


def test_one_ahead_is_wrong_itself() -> None:
    """However often it is seen."""
    clocks = watch(a=True)
    for _ in range(100):
        clocks.saw("a", ahead=True, now=NOW)
    assert not clocks.worker_is_behind(NOW)


def test_two_ahead_are_right() -> None:
    """Where nobody contradicts them."""
    assert watch(a=True, b=True).worker_is_behind(NOW)


def test_the_majority_decides() -> None:
    """As many in time as ahead: the worker is right."""
    assert not watch(a=True, b=True, c=False, d=False).worker_is_behind(NOW)
    assert watch(a=True, b=True, c=True, d=False).worker_is_behind(NOW)


def test_the_last_sight_of_a_producer_counts() -> None:
    """Its clock was set right."""
    clocks = watch(a=True, b=True)
    clocks.saw("b", ahead=False, now=NOW)
    assert not clocks.worker_is_behind(NOW)


def test_what_was_seen_long_ago_does_not_count() -> None:
    """A minute is long."""
    clocks = watch(a=True, b=True)
    assert clocks.worker_is_behind(NOW + timedelta(seconds=59))
    assert not clocks.worker_is_behind(NOW + timedelta(seconds=61))
