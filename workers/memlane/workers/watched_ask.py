"""Asking sinks over the broker, also from outside of the workers' processes: it says why nobody answers."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import BrokerRefused, BrokerUnreachable, MemlaneError
from memlane.contracts.query import AnySinkQuestion
from memlane.producers.ending import end
from memlane.workers.aggregator.asking import Ask, Asked, RemoteAsker
from memlane.workers.responder.responder import NO_WORKER


class NotAWorker(MemlaneError):
    """Where there are access rules, sinks answer worker accounts only."""


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
