"""One round: digests, then lists where they differ, then repairs."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.instants import now, to_microseconds
from memlane.contracts.rounds import RoundReport, SinkRound
from memlane.contracts.version import make_version
from memlane.producers.groups import first_of
from memlane.storage.damage import NO_HASH
from memlane.storage.errors import SinkUnavailable
from memlane.storage.rows import Trace
from memlane.workers.reconciler.comparing import Difference, KnownMarks, Lack, Terms, compare
from memlane.workers.reconciler.repairs import RepairBook, Repairs
from memlane.workers.reconciler.taking_part import Participant, differing, highest_floor
from memlane.workers.sink_reader import SinkReader

STEP_ROWS: Final = 8192
"""Rows of a sink that are listed at a time, about."""

MAX_STEP_BUCKETS: Final = 256
MAX_RECOUNTED_BUCKETS: Final = 16
"""At a time: an MCP sink asks its server about each."""

STEPS_UNDER_WAY: Final = 2
"""While one step's repairs are decided, the next is read."""

OnProgress = Callable[[int, int], None]
"""Told how many buckets are done, and of how many."""

OnDifference = Callable[[Lack], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a round is done.

    Attributes:
        grace: what is younger is left to the lanes.
        full: recount and compare all buckets, not only those whose digests differ.
        dry_run: compare, and repair nothing.
    """

    grace: timedelta
    full: bool = False
    dry_run: bool = False


class Round:
    """One round over the sinks that take part.

    Args:
        taking_part: all sinks of the deployment, and how.
        reader: of the sinks.
        repairs: to the lanes; None in a dry run.
        book: what is not sent again.
        poison: by sink, versions that would end its worker.
        manner: how it is done.
        on_progress: told after each step.
        on_difference: told of each that was found.
    """

    def __init__(
        self,
        taking_part: Sequence[Participant],
        reader: SinkReader,
        repairs: Repairs | None,
        *,
        book: RepairBook,
        poison: Mapping[str, Collection[str]],
        manner: Manner,
        on_progress: OnProgress = lambda _done, _of: None,
        on_difference: OnDifference = lambda _lack: None,
    ) -> None:
        self._all = taking_part
        self._compared = [one for one in taking_part if one.digests is not None]
        self._sources = {one.sink for one in taking_part if one.part == "source"}
        self._reader = reader
        self._repairs = repairs
        self._book = book
        self._poison = poison
        self._manner = manner
        self._on_progress = on_progress
        self._on_difference = on_difference
        self._young = 0
        self._silent: set[str] = set()
        self._counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    async def run(self) -> RoundReport:
        """Does it. A sink that goes away meanwhile ends the round for all: the next one goes on.

        Raises:
            BrokerError: repairs could not be published.
            SinkUnavailable: a sink went away.
        """
        began, started = now(), time.monotonic()
        for one in self._compared:
            if one.digests is not None:
                self._book.begin(one.sink, one.digests.incarnation)
        terms = Terms(self._sources, self._newest(began), floor=highest_floor(self._compared))
        buckets = self._buckets()
        room = asyncio.Semaphore(STEPS_UNDER_WAY)
        done = 0

        async def step(of: Sequence[int]) -> None:
            nonlocal done
            async with room:
                await self._step(of, terms)
            done += len(of)
            self._on_progress(done, len(buckets))

        try:
            async with asyncio.TaskGroup() as group:
                for of in self._steps(buckets):
                    group.create_task(step(of))
        except ExceptionGroup as group:
            raise first_of(group) from group
        return RoundReport(
            at=began,
            seconds=round(time.monotonic() - started, 3),
            full=self._manner.full,
            dry_run=self._manner.dry_run,
            buckets=len(buckets),
            young=self._young,
            sinks={one.sink: self._sink_round(one) for one in self._all},
        )

    def _newest(self, began: datetime) -> dict[str, str | None]:
        """By sink, up to which version it should have got everything.

        What is rebuilding gets all: its lane may have acked what its store has lost since.
        """
        milliseconds = to_microseconds(began - self._manner.grace) // 1000
        limit = make_version(max(0, milliseconds), 0)
        return {one.sink: limit if one.part == "source" else None for one in self._compared}

    def _buckets(self) -> Sequence[int]:
        alone = len(self._compared) < 2  # noqa: PLR2004
        if not self._sources or (alone and not self._manner.full):
            return []
        if not self._manner.full:
            return differing(self._compared)
        counts = [one.digests.counts for one in self._compared if one.digests is not None]
        return [bucket for bucket, of in enumerate(zip(*counts, strict=True)) if any(of)]

    def _steps(self, buckets: Sequence[int]) -> list[Sequence[int]]:
        rows = max((one.rows or 0 for one in self._compared), default=0)
        most = MAX_RECOUNTED_BUCKETS if self._manner.full else MAX_STEP_BUCKETS
        size = max(1, min(most, STEP_ROWS * BUCKETS // max(1, rows)))
        return [buckets[start : start + size] for start in range(0, len(buckets), size)]

    async def _step(self, buckets: Sequence[int], terms: Terms) -> None:
        sinks = [one.sink for one in self._compared]
        lists = await (self._everything if self._manner.full else self._what_differs)(sinks, buckets)
        lacks: list[Lack] = []
        for held in zip(*lists, strict=True):
            of_bucket = dict(zip(sinks, held, strict=True))
            lacks += self._note(compare(of_bucket, terms))
        if self._repairs is not None:
            await self._mend(lacks, terms.marks, self._repairs)

    async def _everything(self, sinks: Sequence[str], buckets: Sequence[int]) -> list[list[list[Trace]]]:
        """All rows and marks of the buckets, by sink and bucket, compared with their content."""
        recount = not self._manner.dry_run
        return await asyncio.gather(
            *(self._reader.versions(sink, buckets, check=True, recount=recount) for sink in sinks)
        )

    async def _what_differs(self, sinks: Sequence[str], buckets: Sequence[int]) -> list[list[list[Trace]]]:
        """Likewise those that not all sinks hold, by their hashes: few, however much is in a bucket."""
        hashes = await asyncio.gather(*(self._reader.hashes(sink, buckets) for sink in sinks))
        everywhere = [frozenset.intersection(*of) - {NO_HASH} for of in zip(*hashes, strict=True)]
        return await asyncio.gather(
            *(
                self._reader.with_hashes(
                    sink, buckets, [own - common for own, common in zip(of, everywhere, strict=True)]
                )
                for sink, of in zip(sinks, hashes, strict=True)
            )
        )

    def _note(self, difference: Difference) -> list[Lack]:
        """Counts what was found, and returns what is to be sent."""
        self._young += difference.young
        for sink, damaged in difference.damaged.items():
            self._counts[sink]["damaged"] += damaged
        return [lack for lack in difference.lacks if self._is_to_be_sent(lack)]

    def _is_to_be_sent(self, lack: Lack) -> bool:
        counts, name = self._counts[lack.sink], (lack.sink, lack.trace.version, lack.trace.hash)
        counts["lacked"] += 1
        self._on_difference(lack)
        if self._book.is_parked(*name) or lack.trace.version in self._poison.get(lack.sink, ()):
            counts["parked"] += 1
        elif self._book.is_waiting(*name):
            counts["waiting"] += 1
        elif not lack.is_readable:
            counts["unreadable"] += 1
        else:
            return self._repairs is not None
        return False

    async def _mend(self, lacks: Sequence[Lack], marks: KnownMarks, repairs: Repairs) -> None:
        """Marks first: what they cover need not be sent."""
        covered = [lack for lack in lacks if marks.cover(lack.trace)]
        for lack in covered:
            self._counts[lack.sink]["lacked"] -= 1
        await self._bring(repairs, [lack for lack in lacks if lack.trace.kind is None])
        gone = frozenset(covered)
        rows = [lack for lack in lacks if lack.trace.kind is not None and lack not in gone]
        await self._bring(repairs, rows)

    async def _bring(self, repairs: Repairs, lacks: Sequence[Lack]) -> None:
        by_sink: dict[str, list[AnyCommand]] = defaultdict(list)
        left, attempt = list(lacks), 0
        while left:
            by_holder: dict[str, list[Lack]] = defaultdict(list)
            for lack in left:
                if attempt < len(lack.holders):
                    by_holder[lack.holders[attempt]].append(lack)
                else:
                    # Nobody has its content now: the next round sees.
                    self._counts[lack.sink]["waiting"] += 1
            left, attempt = [], attempt + 1
            for holder, of in by_holder.items():
                left += await self._read(holder, of, by_sink)
        async with asyncio.TaskGroup() as group:
            for sink, commands in by_sink.items():
                group.create_task(self._send(repairs, sink, commands))

    async def _read(
        self, holder: str, lacks: Iterable[Lack], into: dict[str, list[AnyCommand]]
    ) -> list[Lack]:
        """Reads what sinks lack from one that holds it; returns what could not be read."""
        wanted: dict[Trace, list[Lack]] = defaultdict(list)
        for lack in lacks:
            wanted[lack.trace].append(lack)
        try:
            read = await self._reader.rows(holder, list(wanted))
        except SinkUnavailable:
            # Another one may hold it as well.
            return [lack for of in wanted.values() for lack in of]
        for row in read.rows:
            for lack in wanted[row.trace]:
                into[lack.sink].append(row.command)
                self._counts[holder]["gave"] += 1
        # What has been written or deleted since is on its way to everybody.
        passed = frozenset([*read.gone, *read.changed])
        for lack in (lack for trace in passed for lack in wanted[trace]):
            self._counts[lack.sink]["lacked"] -= 1
            self._young += 1
        return [lack for trace in read.unread if trace not in passed for lack in wanted[trace]]

    async def _send(self, repairs: Repairs, sink: str, commands: Sequence[AnyCommand]) -> None:
        counts = self._counts[sink]
        if sink in self._silent:
            counts["waiting"] += len(commands)
            return
        repaired = await repairs.send(sink, commands)
        if repaired.waiting == len(commands):
            # Its lane decides nothing now: the next round goes on.
            self._silent.add(sink)
        counts["repaired"] += repaired.done
        counts["parked"] += repaired.parked
        counts["waiting"] += repaired.waiting
        counts["unreadable"] += repaired.unsayable

    def _sink_round(self, one: Participant) -> SinkRound:
        digests = one.digests
        return SinkRound(
            part=one.part,
            reason=one.reason,
            incarnation=None if digests is None else digests.incarnation,
            changes=None if digests is None else digests.changes,
            rows=one.rows,
            **self._counts[one.sink],
        )
