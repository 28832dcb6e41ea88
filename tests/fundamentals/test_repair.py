"""Sinks that lost messages, or their store, or went back to an old one, are brought level again, always."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from memlane.contracts.command import AnyCommand
from memlane.contracts.query import AnySinkQuestion
from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import NOTHING_SAID, Notice
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import moment
from memlane.storage.conformance.model import Model
from memlane.storage.conformance.plans import commands
from memlane.storage.memory import MemorySink
from memlane.workers.aggregator.asking import Asked, LocalAsker
from memlane.workers.reconciler.repairs import RepairBook, Repaired, Repairs
from memlane.workers.reconciler.round import Manner, Round
from memlane.workers.reconciler.taking_part import participants
from memlane.workers.sink_reader import SinkReader

_NOW: Final = moment(100)
_MANNER: Final = Manner(grace=timedelta(0))
_MOST_ROUNDS: Final = 6
_SINKS: Final = ("one", "two", "three")

_sinks: Final = st.sampled_from(_SINKS)
_some_sinks: Final = st.sets(_sinks).map(frozenset)


@dataclass(frozen=True, slots=True)
class Publish:
    """A batch is logged, and reaches these lanes; on the way to the others it is lost."""

    batch: tuple[AnyCommand, ...]
    reaches: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wipe:
    """A store is lost."""

    sink: str


@dataclass(frozen=True, slots=True)
class Save:
    """Somebody copies a store."""

    sink: str


@dataclass(frozen=True, slots=True)
class Restore:
    """Somebody puts the last copy in the place of the store."""

    sink: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweeper comes by."""

    sink: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The log is read to a lane, from somewhere on."""

    sink: str
    begin: int


@dataclass(frozen=True, slots=True)
class Reconcile:
    """A round; of its repairs, those to these sinks are lost."""

    loses: frozenset[str]


Step = Publish | Wipe | Save | Restore | Sweep | Replay | Reconcile

_steps: Final[st.SearchStrategy[Step]] = st.one_of(
    st.builds(Publish, st.lists(commands(), min_size=1, max_size=4).map(tuple), _some_sinks),
    st.builds(Publish, st.lists(commands(), min_size=1, max_size=4).map(tuple), st.just(frozenset(_SINKS))),
    st.builds(Wipe, _sinks),
    st.builds(Save, _sinks),
    st.builds(Restore, _sinks),
    st.builds(Sweep, _sinks),
    st.builds(Replay, _sinks, st.integers(0, 12)),
    st.builds(Reconcile, _some_sinks),
)


class _LossyLanes(Repairs):
    """Lanes without a broker: they apply at once, or lose what comes."""

    def __init__(self, sinks: dict[str, MemorySink], loses: frozenset[str]) -> None:
        self._sinks = sinks
        self._loses = loses

    async def send(self, sink: str, commands: Sequence[AnyCommand]) -> Repaired:
        """Applies, or loses."""
        if sink in self._loses:
            return Repaired(waiting=len(commands))
        await self._sinks[sink].apply(commands, _NOW, repair=True)
        return Repaired(done=len(commands))


async def _nobody_else(
    sink: str,
    questions: Sequence[AnySinkQuestion],  # noqa: ARG001  # as `Ask` has it
    as_of: datetime,  # noqa: ARG001
    seconds: float,  # noqa: ARG001
) -> Asked:
    raise AssertionError(f"{sink} is here")


@dataclass
class _World:
    """Three sinks, the log, and what is known about them."""

    sinks: dict[str, MemorySink] = field(
        default_factory=lambda: {name: MemorySink(name=name) for name in _SINKS}
    )
    log: list[AnyCommand] = field(default_factory=list)
    copies: dict[str, MemorySink] = field(default_factory=dict)
    rebuilding: set[str] = field(default_factory=set)

    async def do(self, step: Step) -> None:
        """One step."""
        match step:
            case Publish(batch, reaches):
                self.log += batch
                for sink in reaches:
                    await self.sinks[sink].apply(batch, _NOW)
            case Wipe(sink):
                self.sinks[sink].wipe()
                self.rebuilding.add(sink)
            case Save(sink):
                self.copies[sink] = copy.deepcopy(self.sinks[sink])
            case Restore(sink):
                if sink in self.copies:
                    self.sinks[sink].state = copy.deepcopy(self.copies[sink].state)
                    self.rebuilding.add(sink)
            case Sweep(sink):
                await asking.sweep(self.sinks[sink], _NOW)
            case Replay(sink, begin):
                await self._replay(sink, begin)
            case Reconcile(loses):
                await self.round(loses)

    async def round(self, loses: frozenset[str] = frozenset()) -> RoundReport:
        """One round, and what follows from it."""
        reader = SinkReader(LocalAsker(self.sinks, _nobody_else))
        since = Notice(sink="one", event="rebuilding", at=_NOW)
        standings = {
            name: NOTHING_SAID.after(since) if name in self.rebuilding else NOTHING_SAID for name in _SINKS
        }
        taking_part = await participants(reader, _SINKS, standings, dict.fromkeys(_SINKS, 0))
        lanes = _LossyLanes(self.sinks, loses)
        report = await Round(taking_part, reader, lanes, book=RepairBook(), poison={}, manner=_MANNER).run()
        if any(one.part == "source" for one in report.sinks.values()):
            self.rebuilding -= {name for name, one in report.sinks.items() if one.is_level}
        return report

    async def until_level(self) -> None:
        """Rounds, with the sweepers between them, until one finds that nothing differs."""
        for _ in range(_MOST_ROUNDS):
            for sink in self.sinks.values():
                await asking.sweep(sink, _NOW)
            were_rebuilding = bool(self.rebuilding)
            if not (await self.round()).differences and not were_rebuilding:
                return
        raise AssertionError(f"sinks still differ after {_MOST_ROUNDS} rounds")

    async def end(self) -> None:
        """The log is read to one sink, and rounds bring the others level."""
        await self._replay("one", 0)
        await self.until_level()

    async def _replay(self, sink: str, begin: int) -> None:
        for command in self.log[begin:]:
            await self.sinks[sink].apply([command], _NOW)
        if begin == 0:
            self.rebuilding.discard(sink)


@settings(max_examples=200, deadline=None)
@given(steps=st.lists(_steps, max_size=14))
async def test_whatever_happens_the_sinks_come_to_hold_what_all_commands_come_to(steps: list[Step]) -> None:
    """Lost messages, wiped and restored stores, replays and repairs in any order; lost repairs as well."""
    world = _World()
    for sink in world.sinks.values():
        await sink.__aenter__()
    for step in steps:
        await world.do(step)
    await world.end()
    model = Model(world.log)
    for sink in world.sinks.values():
        await asking.sweep(sink, _NOW)
        held = await asking.held(sink)
        assert {(trace.place, trace.version, trace.hash) for trace in held} == model.kept()
    digests = [await sink.digests() for sink in world.sinks.values()]
    assert digests[0] == digests[1] == digests[2]


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(_steps, max_size=12))
async def test_rounds_alone_bring_together_what_any_source_has_decided(steps: list[Step]) -> None:
    """Without the log: by place the newest that a sink which is not rebuilding holds."""
    world = _World()
    for sink in world.sinks.values():
        await sink.__aenter__()
    for step in steps:
        if not isinstance(step, Replay):
            await world.do(step)
    if len(world.rebuilding) == len(_SINKS):
        return
    await world.until_level()
    for sink in world.sinks.values():
        await asking.sweep(sink, _NOW)
    digests = [await sink.digests() for sink in world.sinks.values()]
    assert digests[0] == digests[1] == digests[2]
    assert not world.rebuilding
