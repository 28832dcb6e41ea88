"""A channel that hands on a delivered message at once, where the driver starts a task for each."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiormq
from aiormq.abc import DeliveredMessage
from aiormq.exceptions import InvalidFrameError
from pamqp import commands
from pamqp.header import ContentHeader

Take = Callable[[DeliveredMessage], None]


class Channel(aiormq.Channel):
    """The driver's, with one more way to consume."""

    # Any: whatever the driver passes.
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._takers: dict[str | None, tuple[Take, asyncio.Event | None]] = {}

    async def subscribe(self, queue: str, take: Take, has_space: asyncio.Event | None = None) -> str:
        """Consumes a queue; every message has to be acked.

        Args:
            queue: must exist.
            take: is called with each message, in order. Must not raise, nor take long.
            has_space: while it is not set, nothing more is read from this connection: what the broker sent
                stays in the network's buffers, and it sends no more.

        Returns:
            The consumer's tag: it is in `consumers` until the subscription ends.

        Raises:
            AMQPError: the broker refuses.
        """
        tag = uuid4().hex
        self._takers[tag] = (take, has_space)
        await self.basic_consume(queue, _unused, consumer_tag=tag)
        return tag

    async def _on_deliver_frame(self, frame: commands.Basic.Deliver) -> None:
        if (taker := self._takers.get(frame.consumer_tag)) is None:
            await super()._on_deliver_frame(frame)
            return
        take, has_space = taker
        if has_space is not None:
            await has_space.wait()
        header = await self._get_frame()
        if not isinstance(header, ContentHeader):
            raise InvalidFrameError(f"{header!r} came where a message's header must be")
        take(await self._read_content(frame, header))


async def _unused(_message: DeliveredMessage) -> None:
    """Stands in the driver's list of consumers."""
