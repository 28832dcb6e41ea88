"""Reading a stream. It is never consumed by a robust channel: after a reconnect that would start over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple
from uuid import uuid4

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, HeadersType

from memlane.contracts.headers import MARK
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher

PREFETCH: Final = 500
"""Messages that may be under way, each of 1 MiB at most; a stream can't be consumed without a bound."""

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
    """

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        self.first_offset: int | None = None

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Takes a message from the channel."""
        self._arrived.put_nowait(message)

    async def next(self) -> StreamMessage:
        """The next message that is no mark."""
        while True:
            message = await self._next()
            if MARK not in message.headers:
                return message

    async def until(self, mark: str) -> AsyncIterator[StreamMessage]:
        """The messages up to a mark."""
        while (message := await self._next()).headers.get(MARK) != mark:
            if MARK not in message.headers:
                yield message

    async def _next(self) -> StreamMessage:
        message = await self._arrived.get()
        # In a stream, an ack only asks for more.
        await message.ack()
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
        await queue.consume(reader.take, arguments={"x-stream-offset": offset})
        yield reader
    finally:
        await channel.close()
