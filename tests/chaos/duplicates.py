"""How often something came twice, by two measures that the broker itself gives.

*Published again*: commands that are more than once in the command log: sent again after a confirm that was
lost, by a producer that was killed, or on purpose. *Delivered again*: messages that the broker handed out
once more (its own counter), after a worker had died, hung or lost its connection. That counter begins anew
with each start of the broker, so it is read right before each stop.
"""

import asyncio
import re
from collections import Counter
from typing import Final

from aio_pika.abc import AbstractIncomingMessage

from memlane.contracts.codec import decode_message
from memlane.contracts.topology import LOG
from memlane.producers.broker.connection import connect
from memlane.testing.servers import PrivateRabbitMQ, ServerError

_REDELIVERED: Final = re.compile(r"messages_redelivered_total\s*=>\s*(\d+)")
_PREFETCH: Final = 500
_IDLE_SECONDS: Final = 2.0


class Redeliveries:
    """Adds up the broker's counter over its restarts.

    Args:
        server: whose counter begins anew with each start.
    """

    def __init__(self, server: PrivateRabbitMQ) -> None:
        self.total = 0
        self._server = server

    async def note(self) -> None:
        """Takes what was counted since the last start: right before a stop, and once at the end."""
        try:
            text = await asyncio.to_thread(self._server.control, "eval", "rabbit_global_counters:overview().")
        except ServerError:
            return
        self.total += sum(map(int, _REDELIVERED.findall(text)))


async def published(url: str) -> Counter[str]:
    """How often each command is in the command log."""
    found: Counter[str] = Counter()
    arrived = asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        found.update(command.id for command in decode_message(message.body).commands)
        arrived.set()
        await message.ack()

    async with await connect(url, "chaos log") as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=_PREFETCH)
        queue = await channel.get_queue(LOG, ensure=False)
        tag = await queue.consume(take, arguments={"x-stream-offset": "first"})
        try:
            while True:
                arrived.clear()
                await asyncio.wait_for(arrived.wait(), _IDLE_SECONDS)
        except TimeoutError:
            await queue.cancel(tag)
    return found
