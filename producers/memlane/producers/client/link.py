"""The client's connection: made anew whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from aio_pika.abc import AbstractChannel, AbstractConnection

from memlane.contracts.errors import BrokerError, BrokerUnreachable
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.producers.broker.connection import CONNECT_TIMEOUT, connect, keep_connected
from memlane.producers.broker.driver import blocking_of
from memlane.producers.broker.nodes import user_of
from memlane.producers.broker.publisher import Publisher
from memlane.producers.client.session import BrokerSession, Incoming, Session
from memlane.producers.ending import end

OnMessage = Callable[[Incoming], Awaitable[None]]

_EVER: Final = timedelta(days=10_000)


class Link:
    """Keeps one connection to the broker up.

    Args:
        url: the broker.
        confirm_timeout: how long a published message may wait for its confirm.

    Attributes:
        on_receipt: takes the lanes' receipts.
        on_reply: takes the aggregator's replies.
        on_lost: told when a connection has gone, so that nobody waits for its replies.
        on_up: told when there is a new connection.
        on_blocking: told when the broker takes no more messages (why), or takes them again (None).
        error: why there is no connection, as far as that is known.
    """

    def __init__(self, url: str, confirm_timeout: timedelta) -> None:
        self.on_receipt: OnMessage = _ignore
        self.on_reply: OnMessage = _ignore
        self.on_lost: Callable[[], None] = lambda: None
        self.on_up: Callable[[], None] = lambda: None
        self.on_blocking: Callable[[str | None], None] = lambda _reason: None
        self._url = url
        self._confirm_timeout = confirm_timeout
        self._session: Session | None = None
        self._changed = asyncio.Condition()
        self._keeping: asyncio.Task[None] | None = None
        self._is_closing = False
        self._lost_at = 0.0
        self.error: BrokerError = BrokerUnreachable("the client is not open", hint="use it in `async with`")

    async def open(self, may_be_away: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Connects for the first time.

        Args:
            may_be_away: asked where nothing answers there: True has it go on trying in the background.

        Raises:
            BrokerUnreachable: nothing answers there.
            BrokerRefused: wrong credentials.
        """
        try:
            first = await connect(self._url, "memlane client probe")
            await first.close()
        except BrokerUnreachable as error:
            if may_be_away is None or not await may_be_away():
                raise
            # Long enough ago: nobody is to wait for a connection that never was.
            self._lost_at, self.error = float("-inf"), error
            self._keeping = asyncio.create_task(self._keep(refusal_ends=False))
            return
        self._lost_at = asyncio.get_running_loop().time()
        self._keeping = asyncio.create_task(self._keep())
        try:
            await self.session(CONNECT_TIMEOUT)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnects; whoever still waits for a session gets an error."""
        self._is_closing = True
        if self._keeping is not None:
            await end(self._keeping)
        await self._set(None, BrokerUnreachable("the client is closed"))

    @property
    def is_up(self) -> bool:
        """Whether there is a connection now."""
        return self._session is not None

    @property
    def is_open(self) -> bool:
        """Whether there is a connection, or there will be one again."""
        return not self._is_over

    @property
    def blocked(self) -> str | None:
        """Why the broker takes no messages on the present connection; None where it does."""
        return None if self._session is None else self._session.blocked

    @property
    def down_for(self) -> timedelta:
        """How long there has been no connection."""
        if self._session is not None:
            return timedelta(0)
        seconds = asyncio.get_running_loop().time() - self._lost_at
        return _EVER if seconds == float("inf") else timedelta(seconds=seconds)

    async def session(self, within: timedelta) -> Session:
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
            raise self.error from None
        if self._session is None:
            raise self.error
        return self._session

    @property
    def _is_over(self) -> bool:
        return self._keeping is None or self._keeping.done() or self._is_closing

    async def _keep(self, *, refusal_ends: bool = True) -> None:
        try:
            await keep_connected(
                self._url, "memlane client", self._run, on_down=self._on_down, refusal_ends=refusal_ends
            )
        except BrokerError as error:
            self.error = error
        finally:
            async with self._changed:
                self._changed.notify_all()

    def _on_down(self, error: BrokerError) -> None:
        self.error = error

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
        blocking = blocking_of(connection)
        blocking.subscribe(self.on_blocking)
        await self._set(BrokerSession(publisher, questions, account, lost, blocking), _not_connected())
        self.on_up()
        try:
            await lost.wait()
            message = "the broker closed a channel"
            raise BrokerUnreachable(message, hint="is memlane up, and the topology there?")
        finally:
            lost.set()
            self._lost_at = asyncio.get_running_loop().time()
            await self._set(None, self.error)
            self.on_lost()

    async def _set(self, session: Session | None, error: BrokerError) -> None:
        self._session, self.error = session, error
        async with self._changed:
            self._changed.notify_all()


def _not_connected() -> BrokerUnreachable:
    return BrokerUnreachable("not connected to RabbitMQ")


async def _listen(channel: AbstractChannel, on_message: OnMessage) -> None:
    queue = await channel.get_queue(DIRECT_REPLY_TO, ensure=False)
    await queue.consume(on_message, no_ack=True)


async def _ignore(_message: Incoming) -> None:
    """Takes a message that nobody waits for."""
