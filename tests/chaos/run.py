"""One run: load, faults, quiet, and the comparison."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Final

from memlane.producers.ending import end
from tests.chaos.comparing import Finding, compare
from tests.chaos.duplicates import Redeliveries, published
from tests.chaos.faults import FAULTS
from tests.chaos.figures import Figures, Happened
from tests.chaos.fold import Fold, fold
from tests.chaos.journal import Promises, read_journals
from tests.chaos.schedule import Event, Schedule
from tests.chaos.watching import Watch, watching
from tests.chaos.world import World

RECOVERY_LIMIT: Final = timedelta(seconds=180)
PATIENCE_SECONDS: Final = 15.0
"""After which the next fault comes, recovered or not."""

MUCH_WAITING: Final = 100
"""Messages in a lane; when more wait, less is sent."""

LEAST_PACE: Final = 0.05
AT_ONCE: Final = 4
"""Faults, in a run that has each kind once."""

QUIET_LIMIT: Final = timedelta(seconds=180)
REBUILD_LIMIT: Final = timedelta(minutes=15)
FROM_FUTURE: Final = "VersionFromFuture"

_WARM_UP_SECONDS: Final = 2.0
_STEP_SECONDS: Final = 0.25
_STILL_SECONDS: Final = 2.0

Tell = Callable[[str], None]


class Run:
    """A run in a world that is open.

    Args:
        world: to run in.
        schedule: of the faults.
        figures: to be filled in.
        tell: takes a line for people.
    """

    def __init__(self, world: World, schedule: Schedule, figures: Figures, tell: Tell) -> None:
        self._world = world
        self._schedule = schedule
        self._figures = figures
        self._tell_line = tell
        self._redeliveries = Redeliveries(world.rabbitmq)
        self._started = time.monotonic()
        self._healed = self._started
        self._recovering: dict[Happened, asyncio.Task[None]] = {}

    async def run(self, length: timedelta | None) -> None:
        """All of it.

        Args:
            length: for how long there are faults; None: each kind once.
        """
        async with watching(self._world) as watch:
            self._world.start_producers()
            await asyncio.sleep(_WARM_UP_SECONDS)
            holding_back = asyncio.create_task(self._hold_back(watch))
            try:
                for event in self._events(length):
                    await self._happen(event, watch)
            finally:
                await end(holding_back)
            self._tell("no more faults; the producers send what is open")
            codes = await self._world.stop_producers()
            await asyncio.gather(*self._recovering.values())
            if any(codes):
                self._tell(f"the producers ended with {codes}")
            await asyncio.gather(self._compare(watch), self._count_duplicates())
        self._figures.seconds = self._elapsed()
        processes = [*self._world.workers, *self._world.producers]
        self._figures.crashes = {one.name: one.crashes for one in processes if one.crashes}
        self._figures.restarts = {one.name: one.starts - 1 for one in processes}

    def _events(self, length: timedelta | None) -> Iterable[Event]:
        if length is None:
            yield from self._schedule.once_each(AT_ONCE)
            return
        for event in self._schedule.events():
            if self._elapsed() >= length.total_seconds():
                return
            yield event

    async def _happen(self, event: Event, watch: Watch) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(asyncio.sleep(event.gap))
            if {"restart-broker", "kill-broker"} & set(event.kinds):
                group.create_task(self._redeliveries.note())
        for one in self._recovering:
            one.disturbed = True
        happened = Happened(self._elapsed(), {}, 0.0)
        async with asyncio.TaskGroup() as group:
            for kind, lasting in zip(event.kinds, event.lasting, strict=True):
                group.create_task(self._suffer(kind, lasting, happened.faults))
        self._healed = time.monotonic()
        happened.lasted = self._elapsed() - happened.at
        self._figures.events.append(happened)
        recovering = asyncio.create_task(self._recover(happened, watch))
        self._recovering[happened] = recovering
        await asyncio.wait({recovering}, timeout=PATIENCE_SECONDS)

    async def _recover(self, happened: Happened, watch: Watch) -> None:
        recovery = await watch.recover(RECOVERY_LIMIT)
        del self._recovering[happened]
        happened.recovery = None if recovery is None else recovery.total_seconds()
        what = "; ".join(f"{kind} ({text})" for kind, text in happened.faults.items())
        took = "NOT recovered" if recovery is None else f"recovered in {happened.recovery:.1f} s"
        disturbed = ", disturbed by further faults" if happened.disturbed else ""
        self._tell(f"{what}: {happened.lasted:.1f} s, {took}{disturbed}")

    async def _hold_back(self, watch: Watch) -> None:
        """Makes the load fit the slowest sink: what a run looks for is faults, not the machine's limits."""
        while True:
            with suppress(Exception):  # the broker may be away
                waiting = max((await watch.backlog()).values())
                self._world.set_pace(min(1.0, max(LEAST_PACE, MUCH_WAITING / max(waiting, 1))))
            await asyncio.sleep(1)

    async def _suffer(self, kind: str, lasting: float, said: dict[str, str]) -> None:
        fault = FAULTS[kind](self._world, self._schedule.rng)
        try:
            said[kind] = await fault.begin()
            await asyncio.sleep(lasting)
        finally:
            await fault.heal()

    async def _compare(self, watch: Watch) -> None:
        """Again and again until every sink is as the fold says, or the time is over.

        A sink that is marked as rebuilding promises nothing until it is level again: it has more time.
        """
        figures = self._figures
        promises = read_journals([*self._world.journals, watch.path])
        figures.commands, figures.sends = promises.commands, promises.sends
        figures.confirmed, figures.unconfirmed = len(promises.confirmed), len(promises.unconfirmed)
        while True:
            rebuilding = await watch.rebuilding()
            limit = REBUILD_LIMIT if rebuilding else QUIET_LIMIT
            deadline = self._healed + limit.total_seconds()
            quiet = await self._wait_until_still(watch, rebuilding, deadline)
            await watch.take_parked()
            figures.findings = await self._findings(watch, promises)
            others = [one for one in figures.findings if _sink_of(one.sink) not in rebuilding]
            if others:
                figures.converged_after = None
            elif figures.converged_after is None:
                figures.converged_after = quiet - self._healed
            if rebuilding:
                figures.filled_after = time.monotonic() - self._healed
            if not (figures.findings or rebuilding) or time.monotonic() >= deadline:
                break
            being = f"; being filled: {', '.join(rebuilding)}" if rebuilding else ""
            self._tell(f"not yet: {len(others)} findings, such as {others[:1]}{being}")
            await asyncio.sleep(_STILL_SECONDS)
        figures.parked = {sink: dict(Counter(of.values())) for sink, of in watch.parked.items()}

    async def _wait_until_still(self, watch: Watch, rebuilding: Collection[str], deadline: float) -> float:
        """Until the lanes are empty and no digest changes for a while; returns since when that is so.

        Those of sinks that are being filled are not looked at.
        """
        since, before = time.monotonic(), await watch.digests(rebuilding)
        while time.monotonic() < deadline:
            digests = await watch.digests(rebuilding)
            if digests is None or digests != before or not await watch.is_drained(rebuilding):
                since, before = time.monotonic(), digests
            elif time.monotonic() - since > _STILL_SECONDS:
                break
            await asyncio.sleep(_STEP_SECONDS)
        self._tell("quiet; comparing every sink with what was promised")
        return since

    async def _findings(self, watch: Watch, promises: Promises) -> list[Finding]:
        folds = {sink: _fold_of(promises, watch.parked[sink]) for sink in self._world.sinks}
        addresses = {address for one in folds.values() for address in one.addresses}
        self._figures.addresses = len(addresses)
        findings: list[Finding] = []
        holdings = await watch.holdings(addresses)
        for holding in holdings:
            expected = folds[_sink_of(holding.name)]
            findings += await asyncio.to_thread(compare, expected, holding)
            if holding.digest is not None:
                self._figures.digests[holding.name] = f"{holding.digest.count}:{holding.digest.sum:x}"
        return findings

    async def _count_duplicates(self) -> None:
        await self._redeliveries.note()
        self._figures.delivered_again = self._redeliveries.total
        log = await published(self._world.rabbitmq.url)
        self._figures.published_again = log.total() - len(log)

    def _tell(self, text: str) -> None:
        self._tell_line(f"{self._elapsed():7.1f} s  {text}")

    def _elapsed(self) -> float:
        return time.monotonic() - self._started


def _sink_of(holding: str) -> str:
    """The sink that a holding is of, or is a part of."""
    return holding.split("'", maxsplit=1)[0]


def _fold_of(promises: Promises, parked: dict[str, str]) -> Fold:
    """What a sink must hold. What is parked may have had its effect; what is from the future has not."""
    certain = [said for said in promises.confirmed if said.version not in parked]
    uncertain = [said for said in promises.unconfirmed if said.version not in parked]
    doubtful = [
        said
        for said in (*promises.confirmed, *promises.unconfirmed)
        if parked.get(said.version, FROM_FUTURE) != FROM_FUTURE
    ]
    return fold(certain, [*uncertain, *doubtful])
