"""Which sink is read, and reading it over the broker, also from outside of the workers' processes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import BrokerRefused, BrokerUnreachable
from memlane.contracts.instants import now
from memlane.contracts.query import AnySinkQuestion, StatsQuestion
from memlane.contracts.reply import SinkStats
from memlane.contracts.standing import NOTHING_SAID, Standing
from memlane.producers.ending import end
from memlane.workers.aggregator.asking import Ask, Asked, RemoteAsker
from memlane.workers.backup.errors import NoSinkToRead, NotAWorker
from memlane.workers.responder.responder import NO_WORKER
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


class _Watched:
    """Asks as long as the broker lets it, and says in words why it does not.

    Args:
        ask: the asker.
        channel: the asker's.
        account: that of the connection.
    """

    def __init__(self, ask: Ask, channel: AbstractChannel, account: str) -> None:
        self._ask = ask
        self._account = account
        self._closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        channel.close_callbacks.add(self._on_close)

    async def __call__(
        self, sink: str, questions: Sequence[AnySinkQuestion], as_of: datetime, seconds: float
    ) -> Asked:
        """See `Ask`.

        Raises:
            NotAWorker: this account gets no answer.
            BrokerRefused: it may not even ask.
            BrokerUnreachable: the connection was lost.
        """
        asking = asyncio.ensure_future(self._ask(sink, questions, as_of, seconds))
        # Any: of two kinds of futures.
        waited: set[asyncio.Future[Any]] = {asking, self._closed}
        try:
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                raise self._why_closed()
            asked = asking.result()
        except CONNECTION_EXCEPTIONS as error:
            raise BrokerUnreachable(f"the connection was lost while reading a sink: {error}") from error
        finally:
            await end(asking)
        if asked.reply.reason == NO_WORKER:
            raise NotAWorker(
                f"the account {self._account!r} may not read sinks: {NO_WORKER}",
                hint="log in as one of worker_accounts in the access rules, see docs/access.md",
            )
        return asked

    def _on_close(self, _channel: object, error: BaseException | None) -> None:
        if not self._closed.done():
            self._closed.set_result("" if error is None else str(error))

    def _why_closed(self) -> Exception:
        reason = self._closed.result()
        if "ACCESS_REFUSED" in reason:
            return BrokerRefused(
                f"the account {self._account!r} may not ask sinks: {reason}",
                hint="log in as a worker, see docs/access.md",
            )
        return BrokerUnreachable(f"the connection was lost while reading a sink: {reason}")


@asynccontextmanager
async def watched_ask(connection: AbstractConnection, account: str) -> AsyncIterator[Ask]:
    """Asks sinks over a channel of its own.

    Args:
        connection: to the broker.
        account: that of the connection.
    """
    channel = await connection.channel(publisher_confirms=False)
    try:
        asker = RemoteAsker(channel, account)
        watched = _Watched(asker, channel, account)
        await asker.open()
        yield watched
    finally:
        with suppress(*CONNECTION_EXCEPTIONS):
            await channel.close()


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
