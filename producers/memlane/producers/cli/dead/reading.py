"""Going through a dead-letter queue once, with whatever is not acked staying in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Self

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS, ChannelNotFoundEntity
from aiormq.abc import DeliveredMessage

from memlane.contracts.errors import BrokerUnreachable
from memlane.contracts.topology import dead_queue
from memlane.producers.broker.driver import Channel
from memlane.producers.cli.errors import NotFound

WINDOW: Final = 500
"""Messages that the broker hands out ahead: so many bodies are in memory at the most."""

_SILENCE_SECONDS: Final = 1.0
"""Then it is asked whether there is anything left: others may have taken some."""


class Reading:
    """One pass over what was in the queue when it began.

    What is not acked is neither kept nor given back one by one: closing the channel puts all of it back, not
    always in the same order. Meanwhile nobody else sees it, and each pass counts as a delivery: the queue's
    limit for those is a billion.

    Attributes:
        total: how many messages were there.
    """

    def __init__(self, channel: Channel, queue: str, total: int, window: int) -> None:
        self.total = total
        self._channel = channel
        self._queue = queue
        self._window = window
        self._room = 0
        self._read = 0
        self._arrived: asyncio.Queue[DeliveredMessage] = asyncio.Queue()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> DeliveredMessage:
        """Each message once; ends after as many as were there, so that nothing goes round in circles.

        Raises:
            BrokerUnreachable: the connection was lost; what was not acked is in the queue.
        """
        if self._read >= self.total or (message := await self._next()) is None:
            raise StopAsyncIteration
        self._read += 1
        return message

    async def ack(self, message: DeliveredMessage) -> None:
        """Takes a message out of the queue, for good.

        Raises:
            BrokerUnreachable: the connection was lost; it may still be there.
        """
        try:
            await self._channel.basic_ack(message.delivery_tag or 0)
        except CONNECTION_EXCEPTIONS as error:
            raise BrokerUnreachable(
                f"the connection was lost while reading {self._queue}: {error}"
            ) from error
        self._room += 1

    async def _next(self) -> DeliveredMessage | None:
        try:
            if self._room <= self._window // 2:
                await self._widen()
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SILENCE_SECONDS):
                        message = await self._arrived.get()
                        self._room -= 1
                        return message
                # Also finds out that the channel was closed: of that, the driver's consumers are not told.
                if not (await self._channel.queue_declare(self._queue, passive=True)).message_count:
                    return None
        except CONNECTION_EXCEPTIONS as error:
            raise BrokerUnreachable(
                f"the connection was lost while reading {self._queue}: {error}"
            ) from error

    def _lost(self, error: BaseException) -> BrokerUnreachable:
        return BrokerUnreachable(f"the connection was lost while reading {self._queue}: {error}")

    async def _widen(self) -> None:
        """One consumer more: those before hold as many as they may, of messages that are to stay."""
        await self._channel.subscribe(self._queue, self._arrived.put_nowait)
        self._room += self._window


@asynccontextmanager
async def reading(connection: AbstractConnection, sink: str, window: int = WINDOW) -> AsyncIterator[Reading]:
    """A pass over a sink's dead-letter queue; at its end, what was not acked is back in the queue.

    Args:
        connection: to the broker.
        sink: whose queue.
        window: how many messages the broker hands out ahead.

    Raises:
        NotFound: there is no such queue.
    """
    name = dead_queue(sink)
    channel = await connection.channel()
    try:
        driver = await channel.get_underlay_channel()
        assert isinstance(driver, Channel)  # noqa: S101  # `connect` sees to it
        found = await driver.queue_declare(name, passive=True)
        total = found.message_count or 0
        ahead = max(1, min(window, total))
        await driver.basic_qos(prefetch_count=ahead)
        yield Reading(driver, name, total, ahead)
    except ChannelNotFoundEntity as error:
        raise NotFound(
            f"RabbitMQ has no queue {name}", hint="check the sink's name, or run `memlane topology apply`"
        ) from error
    finally:
        await channel.close()
