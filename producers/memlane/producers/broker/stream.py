"""Reading a stream. It is never consumed by a robust channel: after a reconnect that would start over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final, NamedTuple

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, HeadersType

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
    """What comes from a stream, in its order."""

    def __init__(self) -> None:
        self._arrived: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Takes a message from the channel."""
        self._arrived.put_nowait(message)

    async def next(self, within: float | None = None) -> StreamMessage | None:
        """The next message; None where none has come within so many seconds."""
        try:
            async with asyncio.timeout(within):
                message = await self._arrived.get()
        except TimeoutError:
            return None
        # In a stream, an ack only asks for more.
        await message.ack()
        headers = dict(message.headers)
        offset = headers.pop("x-stream-offset")
        assert isinstance(offset, int)  # noqa: S101  # by the broker
        return StreamMessage(offset, message.body, headers, message.user_id, message.app_id)

    async def until_quiet(self, first: float, then: float) -> AsyncIterator[StreamMessage]:
        """The messages up to a pause: of so many seconds before the first one, and between them."""
        within = first
        while (message := await self.next(within)) is not None:
            yield message
            within = then


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
