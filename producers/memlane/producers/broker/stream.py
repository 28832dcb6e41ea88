"""Reading a stream. It is never consumed by a robust channel: after a reconnect that would start over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, HeadersType
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import BrokerUnreachable
from memlane.contracts.headers import MARK
from memlane.producers.broker.driver import Channel as DriverChannel
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher

PREFETCH: Final = 500
"""Messages that may be under way, each of 1 MiB at most; a stream can't be consumed without a bound."""

_WATCH_SECONDS: Final = 1.0

Offset = int | datetime | str
"""Where to begin: a position, a time, or `first`, `last` (the last chunk), `next`, `1h`."""


class StreamMessage(NamedTuple):
    """A message of a stream.

    Attributes:
        offset: its position.
        body: as it was published.
        headers: as it was published; the offset apart. A stream keeps scalars only.
        user_id: the account that published it, verified by the broker.
        app_id: the client that published it, as it says itself.
    """

    offset: int
    body: bytes
    headers: HeadersType
    user_id: str | None
    app_id: str | None


class StreamReader:
    """What comes from a stream, in its order.

    Attributes:
        first_offset: of the first message that came, a mark included; None before.
        goes_on: whether the broker still sends; it ends a reading where the stream is deleted, or moves.
    """

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self.first_offset: int | None = None
        self.goes_on: Callable[[], bool] = lambda: True

    async def _get(self) -> AbstractIncomingMessage:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(_WATCH_SECONDS):
                    return await self._arrived.get()
            if not self.goes_on():
                raise BrokerUnreachable("the broker has ended the reading of a stream")

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Takes a message from the channel."""
        self._arrived.put_nowait(message)

    async def next(self) -> StreamMessage:
        """The next message that is no mark.

        Raises:
            BrokerUnreachable: the reading has ended.
        """
        while True:
            message = await self.any()
            if MARK not in message.headers:
                return message

    async def until(self, mark: str) -> AsyncIterator[StreamMessage]:
        """The messages up to a mark. Raises as `next`."""
        while (message := await self.any()).headers.get(MARK) != mark:
            if MARK not in message.headers:
                yield message

    async def position_of(self, mark: str) -> int:
        """Reads up to a mark, and returns where it is. Raises as `next`."""
        while (message := await self.any()).headers.get(MARK) != mark:
            pass
        return message.offset

    async def any(self) -> StreamMessage:
        """The next message, a mark or not. Raises as `next`."""
        message = await self._get()
        try:
            # In a stream, an ack only asks for more.
            await message.ack()
        except CONNECTION_EXCEPTIONS as error:
            raise BrokerUnreachable(f"the connection was lost while reading a stream: {error}") from error
        headers = dict(message.headers)
        offset = headers.pop("x-stream-offset")
        assert isinstance(offset, int)  # noqa: S101  # by the broker
        if self.first_offset is None:
            self.first_offset = offset
        return StreamMessage(offset, message.body, headers, message.user_id, message.app_id)


async def mark_end(publisher: Publisher, name: str) -> str:
    """Writes a mark into a stream, which does not tell otherwise where it ends.

    Returns:
        The mark. Whatever was confirmed before this call stands before it in the stream.

    Raises:
        BrokerError: it could not be published.
    """
    mark = uuid4().hex
    await publisher.publish(DEFAULT_EXCHANGE, name, b"{}", headers={MARK: mark})
    return mark


async def end_of(connection: AbstractConnection, publisher: Publisher, name: str) -> tuple[str, int]:
    """Marks where a stream ends.

    Returns:
        The mark, and its position.

    Raises:
        BrokerError: it could not be published, or read back.
    """
    async with read_stream(connection, name, "next") as reader:
        mark = await mark_end(publisher, name)
        return mark, await reader.position_of(mark)


async def begin_of(connection: AbstractConnection, publisher: Publisher, name: str) -> int:
    """The position of the first message that a stream still has. Raises as `end_of`."""
    # It sees to it that there is one.
    await mark_end(publisher, name)
    async with read_stream(connection, name, "first", prefetch=1) as reader:
        return (await reader.any()).offset


async def position_at(connection: AbstractConnection, publisher: Publisher, name: str, at: datetime) -> int:
    """The position of the first message of the chunk that was written at a time, or next after it.

    Raises:
        BrokerError: as `end_of`.
    """
    async with read_stream(connection, name, at) as reader:
        # Afterwards: what lies in the future is where the stream ends when the reading begins.
        await reader.position_of(await mark_end(publisher, name))
        assert reader.first_offset is not None  # noqa: S101  # the mark at least
        return reader.first_offset


@asynccontextmanager
async def read_stream(
    connection: AbstractConnection, name: str, offset: Offset, *, prefetch: int = PREFETCH
) -> AsyncIterator[StreamReader]:
    """Reads a stream from an offset on, on a channel of its own, until the context ends.

    Raises:
        AMQPException: there is no such stream, or it may not be read.
    """
    reader = StreamReader()
    channel = await connection.channel()
    try:
        await channel.set_qos(prefetch_count=prefetch)
        queue = await channel.get_queue(name, ensure=False)
        tag = await queue.consume(reader.take, arguments={"x-stream-offset": offset})
        driver = await channel.get_underlay_channel()
        assert isinstance(driver, DriverChannel)  # noqa: S101  # `connect` sees to it
        # The driver tells nobody; it only takes the consumer off its list.
        reader.goes_on = lambda: not driver.is_closed and tag in driver.consumers
        yield reader
    finally:
        await channel.close()
