"""What every kind of fault has in common."""

from abc import ABC, abstractmethod
from random import Random
from typing import ClassVar

from tests.chaos.world import World


class Fault(ABC):
    """One fault, from its beginning to its healing.

    Args:
        world: that it happens to.
        rng: of the schedule, so that a seed gives the same choices again.
    """

    kind: ClassVar[str]
    """Its name, as `--faults` takes it."""

    touches: ClassVar[frozenset[str]]
    """What it happens to; two faults that touch the same don't happen at once."""

    lasts: ClassVar[tuple[float, float]] = (1.0, 5.0)
    """For how long it is left so, in seconds."""

    def __init__(self, world: World, rng: Random) -> None:
        self.world = world
        self.rng = rng

    @abstractmethod
    async def begin(self) -> str:
        """Makes it happen; returns what it has done, in a few words."""

    @abstractmethod
    async def heal(self) -> None:
        """Ends it; returns when what was broken works again by itself, or can."""
