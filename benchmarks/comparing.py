"""Two sides that do the same work in turns, and what comes out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.venue import Venue


class BenchmarkFailed(Exception):
    """The work was not done, or not done right: there is no number to show."""


def check(condition: bool, problem: str) -> None:
    """Raises where a side has not really done its work.

    Raises:
        BenchmarkFailed: the condition does not hold.
    """
    if not condition:
        raise BenchmarkFailed(problem)


@dataclass(slots=True)
class Comparison:
    """What each side reached in each of its turns.

    Attributes:
        ours: turn by turn.
        theirs: likewise.
        between: what lies between the two, by name: only shown.
    """

    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)
    between: dict[str, list[float]] = field(default_factory=dict)


class Measure(Protocol):
    """Runs both sides and checks their work."""

    def __call__(self, venue: Venue) -> Comparison:
        """The rates (or times) of each side, turn by turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """One comparison.

    Attributes:
        name: as on the command line.
        ours: what memlane does.
        theirs: what it is compared with.
        unit: of both sides' numbers.
        target: the bound of the ratio ours / theirs.
        less_is_better: for times: the ratio may be at most the target; for rates it is at least that.
        measure: runs it.
    """

    name: str
    ours: str
    theirs: str
    unit: str
    target: float
    less_is_better: bool = False
    measure: Measure


@dataclass(frozen=True, slots=True)
class Result:
    """What a benchmark came to: the best turn of either side.

    Whatever else runs on a machine can only make a turn slower, so the best one says most.
    """

    benchmark: Benchmark
    comparison: Comparison

    @property
    def ours(self) -> float:
        """Our best turn."""
        return self._best(self.comparison.ours)

    @property
    def theirs(self) -> float:
        """The other side's best turn."""
        return self._best(self.comparison.theirs)

    @property
    def ratio(self) -> float:
        """Ours over theirs."""
        return self.ours / self.theirs

    @property
    def passed(self) -> bool:
        """Whether the target is met."""
        target = self.benchmark.target
        return self.ratio <= target if self.benchmark.less_is_better else self.ratio >= target

    @property
    def between(self) -> dict[str, float]:
        """The best turns of what lies between the sides, by name."""
        return {name: self._best(turns) for name, turns in self.comparison.between.items()}

    def _best(self, turns: list[float]) -> float:
        return min(turns) if self.benchmark.less_is_better else max(turns)


def alternate(turns: int, ours: Callable[[int], float], theirs: Callable[[int], float]) -> Comparison:
    """Ours, theirs, ours, theirs …, so that what the machine does meanwhile hits both.

    Args:
        turns: of each side.
        ours: runs one turn, whose number it is given; returns a rate or a time.
        theirs: likewise.
    """
    comparison = Comparison()
    for turn in range(turns):
        comparison.ours.append(ours(turn))
        comparison.theirs.append(theirs(turn))
    return comparison


def by_size(turns: Sequence[Mapping[int, float]]) -> Comparison:
    """Of the same work in stores of several sizes: the largest over the smallest.

    Args:
        turns: what each came to, by the number of entries.
    """
    smallest, *middle, largest = sorted(turns[0])
    of = {size: [turn[size] for turn in turns] for size in turns[0]}
    return Comparison(of[largest], of[smallest], {f"{size:,} entries": of[size] for size in middle})
