"""Which sink is read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from memlane.contracts.instants import now
from memlane.contracts.query import StatsQuestion
from memlane.contracts.reply import SinkStats
from memlane.contracts.standing import NOTHING_SAID, Standing
from memlane.workers.aggregator.asking import Ask
from memlane.workers.backup.errors import NoSinkToRead
from memlane.workers.sink_reader import SinkReader

FIRST_ANSWER_SECONDS: Final = 10.0
"""A sink that says nothing within that time has no responder, or a very busy one."""

StandingOf = Callable[[str], Standing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A sink to read from.

    Attributes:
        ask: puts questions to sinks.
        sink: its name.
        incarnation: of its store.
        others: the other sinks, but for those that lack commands.
    """

    ask: Ask
    sink: str
    incarnation: str
    others: Sequence[str] = ()

    @property
    def reader(self) -> SinkReader:
        """Reads it, and all others."""
        return SinkReader(self.ask)

    async def answering_others(self) -> tuple[list[str], list[str]]:
        """The other sinks that answer now; and why the rest of them does not."""
        answering: list[str] = []
        silent: list[str] = []
        for name in self.others:
            found = await _look(self.ask, name, NOTHING_SAID)
            if isinstance(found, SinkStats):
                answering.append(name)
            else:
                silent.append(f"{name}: {found}")
        return answering, silent


async def choose_source(
    ask: Ask, names: Sequence[str], standing_of: StandingOf, wanted: str | None = None
) -> Source:
    """The sink that is read: the one that is wanted, or else the first durable one that can be read now.

    Args:
        ask: puts questions to sinks.
        names: of all sinks.
        standing_of: how they stand; one that is rebuilding lacks commands, and is not read.
        wanted: which one; not needed to be durable.

    Raises:
        NoSinkToRead: there is none, and why.
        NotAWorker: this account gets no answer.
        BrokerError: the broker refuses, or went away.
    """
    if wanted is not None and wanted not in names:
        raise NoSinkToRead(f"{wanted!r} is not in MEMLANE_SINKS", hint=f"there are: {', '.join(names)}")
    problems: list[str] = []
    for name in [wanted] if wanted else names:
        found = await _look(ask, name, standing_of(name))
        if isinstance(found, SinkStats) and (wanted or found.durable):
            others = [other for other in names if other != name and not standing_of(other).rebuilding]
            return Source(ask=ask, sink=name, incarnation=found.incarnation, others=others)
        problems.append(f"{name}: {found if isinstance(found, str) else 'it is not durable'}")
    raise NoSinkToRead(
        f"no sink can be read ({'; '.join(problems)})",
        hint="is `memlane up` running? or choose one by --sink",
    )


async def _look(ask: Ask, name: str, standing: Standing) -> SinkStats | str:
    """What a sink says of itself; or why it can't be read."""
    if standing.rebuilding is not None:
        return "it is rebuilding, and lacks commands"
    reply = (await ask(name, [StatsQuestion()], now(), FIRST_ANSWER_SECONDS)).reply
    answer = reply.answers[0] if reply.answers else None
    return answer if isinstance(answer, SinkStats) else reply.reason or reply.status
