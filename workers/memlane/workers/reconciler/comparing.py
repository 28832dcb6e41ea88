"""What differs in one bucket, and which way it goes: by place the highest (version, hash) wins.

Pure functions over what `Sink.versions` tells.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from memlane.contracts.address import Address
from memlane.storage.decide import covering
from memlane.storage.rows import Kind, Mark, Scope, Trace

Place = Address | Scope
Held = Mapping[str, Sequence[Trace]]
"""The rows and marks of one bucket, by sink."""

_READABLE_FIRST: Final = {Kind.LIVE: 0, Kind.EXPIRED: 1, Kind.REFUSED: 2}


@dataclass(frozen=True, slots=True)
class Lack:
    """A row or mark that a sink lacks, or has an older one of.

    Attributes:
        sink: that lacks it.
        trace: what it should hold.
        holders: the sinks that hold it, those that have its content first.
    """

    sink: str
    trace: Trace
    holders: tuple[str, ...]

    @property
    def is_readable(self) -> bool:
        """Whether there is a sink that can say it: a refused row has no content."""
        return self.trace.kind is not Kind.REFUSED


@dataclass(slots=True)
class Difference:
    """What a comparison came to.

    Attributes:
        lacks: what is to be repaired.
        young: what is left to the lanes, because it is too new.
        damaged: by sink, rows whose content can't be trusted.
    """

    lacks: list[Lack] = field(default_factory=list)
    young: int = 0
    damaged: dict[str, int] = field(default_factory=lambda: defaultdict(int))


class KnownMarks:
    """The scope marks that were seen so far: what they cover is not sent to anybody."""

    def __init__(self) -> None:
        self._by_user: dict[str, dict[str | None, Mark]] = defaultdict(dict)

    def add(self, traces: Iterable[Trace]) -> None:
        """Notes the marks among these."""
        for trace in traces:
            if isinstance(trace.place, Scope):
                of_user = self._by_user[trace.place.user_id]
                mark = Mark(trace.version, trace.hash)
                of_user[trace.place.namespace] = max(mark, of_user.get(trace.place.namespace, mark))

    def cover(self, trace: Trace) -> bool:
        """Whether a row is gone by one of them."""
        if not isinstance(trace.place, Address) or trace.place.user_id not in self._by_user:
            return False
        mark = covering(self._by_user[trace.place.user_id], trace.place.namespace)
        return mark is not None and mark.version >= trace.version


@dataclass(frozen=True, slots=True)
class Terms:
    """By what buckets are compared.

    Attributes:
        sources: the sinks that are believed; the others only lack.
        newest: by sink, the version up to which it should have got everything; None: all.
        marks: those that were seen so far.
        floor: below it deletes may have been forgotten; None: nowhere.
    """

    sources: Collection[str]
    newest: Mapping[str, str | None]
    marks: KnownMarks = field(default_factory=KnownMarks)
    floor: str | None = None

    def may_be_forgotten(self, trace: Trace, own: Trace | None) -> bool:
        """Whether a sink that does not have a trace may have had it, and need not have it again.

        It must have a delete, however old, of what it still serves.
        """
        if self.floor is None or trace.version >= self.floor or trace.kind in {Kind.LIVE, Kind.REFUSED}:
            return False
        return trace.kind is None or own is None or own.kind not in {Kind.LIVE, Kind.REFUSED}


def compare(held: Held, terms: Terms) -> Difference:
    """What the sinks lack of each other in one bucket; its marks are added to those of the terms."""
    found = Difference()
    by_place: dict[Place, dict[str, Trace]] = defaultdict(dict)
    # Most rows are the same everywhere: those are dropped at once.
    of_sinks = {sink: frozenset(traces) for sink, traces in held.items()}
    everywhere = frozenset.intersection(*of_sinks.values())
    for sink, traces in of_sinks.items():
        if sink in terms.sources:
            terms.marks.add(traces)
        if damaged := sum(not trace.intact for trace in traces):
            found.damaged[sink] += damaged
        for trace in traces - everywhere:
            by_place[trace.place][sink] = trace
    for of in by_place.values():
        _compare_place(held, of, terms, found)
    return found


def _compare_place(sinks: Iterable[str], of: Mapping[str, Trace], terms: Terms, found: Difference) -> None:
    told = {sink: trace for sink, trace in of.items() if sink in terms.sources and trace.intact}
    if not told:
        return
    best = max(map(_rank, told.values()))
    holders = sorted(
        (sink for sink, trace in told.items() if _rank(trace) == best), key=lambda sink: _order(told[sink])
    )
    trace = told[holders[0]]
    for sink in sinks:
        own = of.get(sink)
        if (own is not None and _rank(own) >= best) or terms.marks.cover(trace):
            continue
        if terms.may_be_forgotten(trace, own):
            continue
        limit = terms.newest[sink]
        if limit is not None and trace.version > limit:
            found.young += 1
        else:
            found.lacks.append(Lack(sink, trace, tuple(holders)))


def _rank(trace: Trace) -> tuple[str, str]:
    return trace.version, trace.hash


def _order(trace: Trace) -> int:
    return 0 if trace.kind is None else _READABLE_FIRST.get(trace.kind, 0)
