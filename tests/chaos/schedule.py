"""What happens when: from a seed, so that a run can be made again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.faults import FAULTS

AT_ONCE: Final = {1: 0.25, 2: 0.35, 3: 0.25, 4: 0.15}
"""How many faults an event has, and how often."""

GAP_SECONDS: Final = (0.5, 2.5)


@dataclass(frozen=True, slots=True)
class Event:
    """Faults that happen at once.

    Attributes:
        gap: seconds of peace before.
        kinds: of the faults.
        lasting: seconds, of each.
    """

    gap: float
    kinds: tuple[str, ...]
    lasting: tuple[float, ...]


class Schedule:
    """Events without end: at first each kind once, then any.

    Args:
        seed: the same one gives the same events.
        kinds: to choose from.
    """

    def __init__(self, seed: int, kinds: Sequence[str]) -> None:
        self.rng = Random(f"{seed} schedule")
        self._kinds = sorted(kinds)

    def once_each(self, at_once: int) -> list[Event]:
        """Events in which each kind happens once, so many at a time where they can."""
        left = self._kinds.copy()
        events = []
        while left:
            together = self._together(left, at_once)
            left = [kind for kind in left if kind not in together]
            events.append(self._event(together))
        return events

    def events(self) -> Iterator[Event]:
        """All events."""
        yield from self.once_each(2)
        while True:
            at_once = self.rng.choices(list(AT_ONCE), list(AT_ONCE.values()))[0]
            yield self._event(self._together(self._kinds, at_once))

    def _together(self, kinds: Sequence[str], most: int) -> tuple[str, ...]:
        """So many kinds that can happen at once, or as many as there are."""
        chosen: list[str] = []
        for kind in self.rng.sample(kinds, len(kinds)):
            if len(chosen) < most and all(_can_be_together(kind, one) for one in chosen):
                chosen.append(kind)
        return tuple(chosen)

    def _event(self, kinds: tuple[str, ...]) -> Event:
        lasting = tuple(self.rng.uniform(*FAULTS[kind].lasts) for kind in kinds)
        return Event(self.rng.uniform(*GAP_SECONDS), kinds, lasting)


def _can_be_together(one: str, other: str) -> bool:
    return not FAULTS[one].touches & FAULTS[other].touches
