"""The clock: versions rise strictly, whatever the physical time does."""

from datetime import timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.clock import HybridClock, milliseconds_ahead
from memlane.contracts.limits import MAX_CLOCK_AHEAD
from memlane.contracts.version import MAX_TAIL, make_version, version_milliseconds

NOW = 1_800_000_000_000
FIVE_MINUTES = MAX_CLOCK_AHEAD // timedelta(milliseconds=1)

_times = st.lists(st.integers(0, 2 * NOW), min_size=2, max_size=30)
_near = st.integers(NOW - FIVE_MINUTES, NOW + FIVE_MINUTES)
_bytes = st.sampled_from([b"\x00", b"\xff", b"\x5a"])


class Time:
    """A physical clock that shows what a test sets."""

    def __init__(self, milliseconds: int = NOW) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> int:
        """The physical time."""
        return self.milliseconds


@given(times=_times, byte=_bytes)
def test_versions_rise_under_any_time(times: list[int], byte: bytes) -> None:
    """Forwards, backwards, standing still; with the highest, the lowest and any entropy."""
    time = Time()
    clock = HybridClock(time, lambda size: byte * size)
    versions = []
    for time.milliseconds in times:
        versions += [clock.next(), clock.next()]
    assert all(older < newer for older, newer in pairwise(versions))


@given(times=st.lists(_near, min_size=2, max_size=20), byte=_bytes)
def test_versions_rise_across_restarts(times: list[int], byte: bytes) -> None:
    """A clock that is told the last version goes on behind it, while the time moves within five minutes."""
    last, versions = None, []
    for now in times:
        clock = HybridClock(Time(now), lambda size: byte * size, last=last)
        versions.append(clock.next())
        last = clock.last
        assert last == versions[-1]
    # From one restart to the next the time may have gone back by ten minutes; then it is not believed.
    for (then, older), (now, newer) in pairwise(zip(times, versions, strict=True)):
        if then - now <= FIVE_MINUTES and version_milliseconds(older) <= now + FIVE_MINUTES:
            assert older < newer


@given(seen=_near, tail=st.integers(0, MAX_TAIL), byte=_bytes)
def test_the_next_version_is_newer_than_what_was_seen(seen: int, tail: int, byte: bytes) -> None:
    """Within five minutes of its own time, a clock moves past what it sees."""
    clock = HybridClock(Time(), lambda size: byte * size)
    version = make_version(seen, tail)
    assert clock.observe(version)
    assert clock.next() > version


@given(ahead=st.integers(1, 10 * FIVE_MINUTES), tail=st.integers(0, MAX_TAIL))
def test_a_clock_that_runs_wild_does_not_drag_others_along(ahead: int, tail: int) -> None:
    """What is more than five minutes ahead is ignored."""
    clock = HybridClock(Time())
    before = clock.next()
    assert not clock.observe(make_version(NOW + FIVE_MINUTES + ahead, tail))
    assert clock.last == before
    assert version_milliseconds(clock.next()) == NOW


def test_seeing_an_old_version_changes_nothing() -> None:
    """Only what is newer moves it."""
    clock = HybridClock(Time())
    last = clock.next()
    assert clock.observe(make_version(NOW - 1, MAX_TAIL))
    assert clock.last == last


def test_a_new_clock_has_no_last_version() -> None:
    """It knows of none; a first version is of its own time."""
    clock = HybridClock(Time())
    assert clock.last is None
    assert version_milliseconds(clock.next()) == NOW


def test_a_full_millisecond_flows_over_into_the_next() -> None:
    """When the 74 bits are used up, the logical time runs ahead of the physical one."""
    clock = HybridClock(Time(), last=make_version(NOW, MAX_TAIL))
    version = clock.next()
    assert version > make_version(NOW, MAX_TAIL)
    assert version_milliseconds(version) == NOW + 1


def test_two_clocks_of_one_time_do_not_meet() -> None:
    """The tail is random."""
    clocks = [HybridClock(Time()) for _ in range(100)]
    assert len({clock.next() for clock in clocks}) == 100


def test_how_far_ahead_is_allowed() -> None:
    """Five minutes, to the millisecond."""
    allowed = make_version(NOW + FIVE_MINUTES, MAX_TAIL)
    refused = make_version(NOW + FIVE_MINUTES + 1, 0)
    assert milliseconds_ahead(allowed, NOW) == 0
    assert milliseconds_ahead(refused, NOW) == 1


def test_ahead_is_after_the_physical_time() -> None:
    """Whether or not it was seen."""
    clock = HybridClock(Time())
    clock.observe(make_version(NOW + 5, 0))
    assert clock.is_ahead(make_version(NOW + 1, 0))
    assert not clock.is_ahead(make_version(NOW, MAX_TAIL))
