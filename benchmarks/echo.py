"""The least that a question and its answer can cost: a direct reply-to echo, and who asks it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

import aio_pika
from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from memlane.contracts.headers import DIRECT_REPLY_TO

QUEUE: Final = "memlane-benchmark-echo"


@asynccontextmanager
async def responder(url: str) -> AsyncIterator[None]:
    """Sends every message of the queue back to where it came from."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        queue = await channel.declare_queue(QUEUE, durable=False, exclusive=False, auto_delete=True)

        async def reply(message: AbstractIncomingMessage) -> None:
            answer = Message(message.body, correlation_id=message.correlation_id)
            await channel.default_exchange.publish(answer, message.reply_to or "", mandatory=False)

        await queue.consume(reply, no_ack=True)
        yield


class EchoClient:
    """Asks the echo; matches replies by their correlation id."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel
        self._numbers = count()
        self._waiting: dict[str, asyncio.Future[bytes]] = {}

    async def ask(self, body: bytes) -> bytes:
        """What came back."""
        number = str(next(self._numbers))
        reply = self._waiting[number] = asyncio.get_running_loop().create_future()
        message = Message(body, correlation_id=number, reply_to=DIRECT_REPLY_TO)
        await self._channel.default_exchange.publish(message, QUEUE, mandatory=False)
        answer: bytes = await reply
        return answer

    async def on_reply(self, message: AbstractIncomingMessage) -> None:
        """Takes a reply from the broker."""
        self._waiting.pop(message.correlation_id or "").set_result(message.body)


@asynccontextmanager
async def echo_client(url: str) -> AsyncIterator[EchoClient]:
    """A client on a connection of its own."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=False)
        client = EchoClient(channel)
        replies = await channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await replies.consume(client.on_reply, no_ack=True)
        yield client
