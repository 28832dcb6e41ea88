"""The schedule: the same from a seed, every kind, and nothing twice at once."""

from itertools import islice

import pytest

from tests.chaos.faults import FAULTS
from tests.chaos.schedule import Schedule


def test_a_seed_gives_the_same_events_again() -> None:
    """Otherwise nobody could run it again."""
    first, second = (list(islice(Schedule(7, list(FAULTS)).events(), 100)) for _ in range(2))
    assert first == second
    assert first != list(islice(Schedule(8, list(FAULTS)).events(), 100))


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_every_kind_happens_once_first(at_once: int) -> None:
    """However short a run is."""
    events = Schedule(1, list(FAULTS)).once_each(at_once)
    assert sorted(kind for event in events for kind in event.kinds) == sorted(FAULTS)
    assert max(len(event.kinds) for event in events) == at_once


def test_two_faults_at_once_touch_different_things() -> None:
    """Nothing can be frozen and started at the same time."""
    for event in islice(Schedule(3, list(FAULTS)).events(), 500):
        touched = [part for kind in event.kinds for part in FAULTS[kind].touches]
        assert len(touched) == len(set(touched))
        assert len(event.lasting) == len(event.kinds)


def test_one_kind_alone_is_a_schedule() -> None:
    """`--faults kill-worker`."""
    events = list(islice(Schedule(3, ["kill-worker"]).events(), 10))
    assert {event.kinds for event in events} == {("kill-worker",)}
