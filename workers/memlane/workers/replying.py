"""Sending to a reply address that came in a message.

The address comes from outside: one that is crafted makes RabbitMQ close the connection that it is used on.
So replies have a connection of their own, which nothing else depends on, and which is opened anew.
"""

import asyncio
from datetime import timedelta
from types import TracebackType
from typing import Final, Self

import structlog
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.errors import BrokerError
from memlane.contracts.headers import REPLY_TO_PREFIX
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect

log: Final = structlog.get_logger("memlane.replies")

_CONNECT_WITHIN: Final = timedelta(seconds=2)
_TRIES: Final = 2
"""The first may find that an earlier address has cost the connection."""


def is_reply_address(address: str | None) -> bool:
    """Whether it is a direct reply address; anything else would be a way to write into queues."""
    return address is not None and address.startswith(REPLY_TO_PREFIX)


class Replier:
    """Sends replies, unconfirmed: who gets none finds its question unanswered, or its command pending.

    Args:
        url: the broker.
        name: of the connection.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Connects. Raises as `connect`."""
        try:
            await self._open_channel()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self._opening:
            await self._close()

    async def send(self, address: str, body: bytes, correlation_id: str | None) -> None:
        """Sends one reply. Never raises for it."""
        message = Message(body, content_type="application/json", correlation_id=correlation_id)
        problem: Exception | None = None
        for _ in range(_TRIES):
            try:
                channel = await self._open_channel()
                await channel.default_exchange.publish(message, address, mandatory=False)
            except (*CONNECTION_EXCEPTIONS, BrokerError, TypeError, ValueError) as error:
                problem = error
            else:
                return
        log.warning("a reply could not be sent", **{log_keys.ERROR: str(problem)})

    async def _open_channel(self) -> AbstractChannel:
        if self._channel is not None and not self._channel.is_closed:
            return self._channel
        async with self._opening:
            if self._channel is None or self._channel.is_closed:
                await self._close()
                self._connection = await connect(self._url, self._name, _CONNECT_WITHIN)
                self._channel = await self._connection.channel(publisher_confirms=False)
        return self._channel

    async def _close(self) -> None:
        self._channel, connection, self._connection = None, self._connection, None
        if connection is not None:
            await connection.close()
