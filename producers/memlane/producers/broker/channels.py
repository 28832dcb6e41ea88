"""One channel for many calls, each of which the broker may refuse."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractChannel, AbstractConnection


class ReopenedChannel:
    """A channel that is there again after a refusal: RabbitMQ closes the channel of the call that it refuses.

    To open one for each call takes the broker as long as most of the calls.

    Args:
        connection: stays open.
    """

    def __init__(self, connection: AbstractConnection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None

    @asynccontextmanager
    async def one_call(self) -> AsyncIterator[AbstractChannel]:
        """The channel, for one call at a time. Whatever that raises, the next one gets another channel."""
        if self._channel is None:
            self._channel = await self._connection.channel()
        try:
            yield self._channel
        except BaseException:
            self._channel = None
            raise

    async def close(self) -> None:
        """Closes it, if it is open."""
        if self._channel is not None:
            await self._channel.close()
            self._channel = None


@asynccontextmanager
async def reopened_channel(connection: AbstractConnection) -> AsyncIterator[ReopenedChannel]:
    """A channel for many calls; closed in the end."""
    channel = ReopenedChannel(connection)
    yield channel
    # After an error the connection is closed, too, by whoever opened it.
    await channel.close()
