"""The client's connection: made anew whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from memlane.contracts.errors import BrokerError, BrokerUnreachable
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.producers.broker.connection import CONNECT_TIMEOUT, connect, keep_connected, user_of
from memlane.producers.broker.publisher import Publisher
from memlane.producers.ending import end

OnMessage = Callable[[AbstractIncomingMessage], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LinkSession:
    """What there is while one connection lasts.

    Attributes:
        commands: confirmed publishing; receipts come back on its channel.
        questions: unconfirmed publishing; replies come back on it.
        account: that of the connection, which goes into each message.
        lost: is set when the connection has gone.
    """

    commands: Publisher
    questions: AbstractChannel
    account: str
    lost: asyncio.Event


class Link:
    """Keeps one connection to the broker up.

    Args:
        url: the broker.
        confirm_timeout: how long a published message may wait for its confirm.

    Attributes:
        on_receipt: takes the lanes' receipts.
        on_reply: takes the aggregator's replies.
        on_lost: told when a connection has gone, so that nobody waits for its replies.
    """

    def __init__(self, url: str, confirm_timeout: timedelta) -> None:
        self.on_receipt: OnMessage = _ignore
        self.on_reply: OnMessage = _ignore
        self.on_lost: Callable[[], None] = lambda: None
        self._url = url
        self._confirm_timeout = confirm_timeout
        self._session: LinkSession | None = None
        self._changed = asyncio.Condition()
        self._keeping: asyncio.Task[None] | None = None
        self._error: BrokerError | None = BrokerUnreachable(
            "the client is not open", hint="use it in `async with`"
        )

    async def open(self) -> None:
        """Connects for the first time.

        Raises:
            BrokerUnreachable: nothing answers there.
            BrokerRefused: wrong credentials.
        """
        first = await connect(self._url, "memlane client probe")
        await first.close()
        self._keeping = asyncio.create_task(self._keep())
        try:
            await self.session(CONNECT_TIMEOUT)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnects; whoever still waits for a session gets an error."""
        if self._keeping is not None:
            await end(self._keeping)
        await self._set(None, BrokerUnreachable("the client is closed"))

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now."""
        return self._session is not None

    async def session(self, within: timedelta) -> LinkSession:
        """The present session; waits for one.

        Raises:
            BrokerUnreachable: there was none within the time.
            BrokerRefused: there will be none.
        """
        if self._session is not None:
            return self._session
        try:
            async with asyncio.timeout(within.total_seconds()), self._changed:
                await self._changed.wait_for(lambda: self._session is not None or self._is_over)
        except TimeoutError:
            raise self._error or BrokerUnreachable("not connected to RabbitMQ") from None
        if self._session is None:
            raise self._error or BrokerUnreachable("the client is closed")
        return self._session

    @property
    def _is_over(self) -> bool:
        return self._keeping is None or self._keeping.done() or self._keeping.cancelling() > 0

    async def _keep(self) -> None:
        try:
            await keep_connected(self._url, "memlane client", self._run, on_down=self._on_down)
        except BrokerError as error:
            self._error = error
        finally:
            async with self._changed:
                self._changed.notify_all()

    def _on_down(self, error: BrokerError) -> None:
        self._error = error

    async def _run(self, connection: AbstractConnection) -> None:
        account = user_of(self._url)
        publisher = await Publisher.open(connection, user_id=account, confirm_timeout=self._confirm_timeout)
        await _listen(publisher.channel, self.on_receipt)
        questions = await connection.channel(publisher_confirms=False)
        await _listen(questions, self.on_reply)
        lost = asyncio.Event()
        # A channel that the broker closed (no such exchange) ends the session, too.
        for channel in (publisher.channel, questions):
            channel.close_callbacks.add(lambda *_: lost.set())
        await self._set(LinkSession(publisher, questions, account, lost), None)
        try:
            await lost.wait()
            message = "the broker closed a channel"
            raise BrokerUnreachable(message, hint="is memlane up, and the topology there?")
        finally:
            lost.set()
            await self._set(None, self._error)
            self.on_lost()

    async def _set(self, session: LinkSession | None, error: BrokerError | None) -> None:
        self._session, self._error = session, error
        async with self._changed:
            self._changed.notify_all()


async def _listen(channel: AbstractChannel, on_message: OnMessage) -> None:
    queue = await channel.get_queue(DIRECT_REPLY_TO, ensure=False)
    await queue.consume(on_message, no_ack=True)


async def _ignore(_message: AbstractIncomingMessage) -> None:
    """Takes a message that nobody waits for."""
