"""What happens when: from a seed, so that a run can be made again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.chaos.faults import FAULTS

TWO_AT_ONCE: Final = 0.35
"""Of the events."""

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
        self.rng.shuffle(left)
        events = []
        while left:
            together: list[str] = []
            for kind in left:
                if len(together) < at_once and all(_can_be_together(kind, one) for one in together):
                    together.append(kind)
            left = [kind for kind in left if kind not in together]
            events.append(self._event(tuple(together)))
        return events

    def events(self) -> Iterator[Event]:
        """All events."""
        yield from self.once_each(2)
        while True:
            first = self.rng.choice(self._kinds)
            others = [kind for kind in self._kinds if _can_be_together(first, kind)]
            if others and self.rng.random() < TWO_AT_ONCE:
                yield self._event((first, self.rng.choice(others)))
            else:
                yield self._event((first,))

    def _event(self, kinds: tuple[str, ...]) -> Event:
        lasting = tuple(self.rng.uniform(*FAULTS[kind].lasts) for kind in kinds)
        return Event(self.rng.uniform(*GAP_SECONDS), kinds, lasting)


def _can_be_together(one: str, other: str) -> bool:
    return not FAULTS[one].touches & FAULTS[other].touches
