"""From single messages to batches: a batch is what has arrived while the one before was applied."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from aiormq.abc import DeliveredMessage

from memlane.workers.access import Access
from memlane.workers.lane.delivery import Delivery, newest_allowed, read_delivery

MAX_BATCH_BYTES: Final = 8 * 1024 * 1024
"""Of message bodies: a batch that has so many takes no further message."""

MAX_BYTES_IN_HAND: Final = 64 * 1024 * 1024
"""Of message bodies that are not acked: with so many, nothing more is read from the broker."""

_MANY_COMMANDS: Final = 16
_LINGER_SECONDS: Final = 0.01


@dataclass(slots=True)
class Batch:
    """Deliveries in the order of the queue, to be applied and acked together.

    Attributes:
        deliveries: all of them.
        remaining: those to be applied.
        size: of how many good commands.
        bytes: of their bodies.
    """

    deliveries: list[Delivery] = field(default_factory=list)
    remaining: list[Delivery] = field(default_factory=list)
    size: int = 0
    bytes: int = 0

    def add(self, delivery: Delivery) -> None:
        """Takes one more delivery; counts its commands and the bytes of its body."""
        self.deliveries.append(delivery)
        self.size += len(delivery.commands)
        self.bytes += len(delivery.body)
        self.remaining.append(delivery)

    def without(self, deliveries: Iterable[Delivery]) -> None:
        """Takes deliveries off those that remain to be applied; they are acked with the batch."""
        gone = {delivery.tag for delivery in deliveries}
        self.remaining = [delivery for delivery in self.remaining if delivery.tag not in gone]


class Gatherer:
    """Reads messages ahead: the next batch grows while the one before is applied.

    So its JSON is parsed while the database works. A single message waits for nothing. Under load, when
    the last batch had many commands, a small one waits up to 10 ms for more: each batch has its own costs
    (a transaction, a sync, an ack), and many small ones would eat up the time that applying takes.

    Args:
        batch_commands: a batch that has so many takes no further message.
        prefetch: how many messages the broker hands out without an ack; half of them are enough.
        now: the worker's clock.
        access: who may write what; None: everybody everything.

    Attributes:
        has_space: cleared while the messages in hand take 64 MiB.
    """

    def __init__(
        self,
        batch_commands: int,
        prefetch: int,
        now: Callable[[], datetime],
        access: Access | None = None,
    ) -> None:
        self._access = access
        self._batch_commands = batch_commands
        self._enough = max(1, min(batch_commands, prefetch // 2))
        self._now = now
        self._under_load = False
        self._has_enough = asyncio.Event()
        self._messages: deque[DeliveredMessage] = deque()
        self._growing = Batch()
        self._arrived = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_some = asyncio.Event()
        self._in_hand: deque[DeliveredMessage] = deque()
        self._bytes_in_hand = 0
        self._is_closed = False
        self.has_space = asyncio.Event()
        self._idle = asyncio.Event()
        self._has_room.set()
        self.has_space.set()
        self._idle.set()

    def put(self, message: DeliveredMessage) -> None:
        """Takes a message from the broker. Bounded by the channel's prefetch, and by `has_space`."""
        self._in_hand.append(message)
        if self._is_closed:
            # It goes back to the queue with all others.
            return
        self._bytes_in_hand += len(message.body)
        if self._bytes_in_hand >= MAX_BYTES_IN_HAND:
            self.has_space.clear()
        self._idle.clear()
        self._messages.append(message)
        self._arrived.set()

    async def get(self) -> Batch:
        """The next batch; waits until there is something in it."""
        await self._has_some.wait()
        if self._under_load:
            with suppress(TimeoutError):
                async with asyncio.timeout(_LINGER_SECONDS):
                    await self._has_enough.wait()
        batch, self._growing = self._growing, Batch()
        self._under_load = batch.size >= _MANY_COMMANDS
        self._has_some.clear()
        self._has_enough.clear()
        self._has_room.set()
        return batch

    def done(self, batch: Batch) -> None:
        """Says that a batch is decided and acked: the oldest that are in hand."""
        for _ in batch.deliveries:
            self._bytes_in_hand -= len(self._in_hand.popleft().body)
        if self._bytes_in_hand < MAX_BYTES_IN_HAND:
            self.has_space.set()
        if not self._in_hand:
            self._idle.set()

    def close(self) -> None:
        """Takes nothing more into a batch: what still comes goes back to the queue."""
        self._is_closed = True
        self.has_space.set()

    @property
    def in_hand(self) -> Sequence[DeliveredMessage]:
        """Every message that came and is not acked."""
        return self._in_hand

    @property
    def is_idle(self) -> bool:
        """Whether every message that came is decided."""
        return self._idle.is_set()

    async def wait_idle(self) -> None:
        """Returns when every message that came is decided."""
        await self._idle.wait()

    async def run(self) -> None:
        """Gathers for ever; cancelled by the lane."""
        while True:
            await self._arrived.wait()
            await self._has_room.wait()
            self._grow()

    def _grow(self) -> None:
        """Reads what has arrived into the growing batch, until that is full."""
        batch, limit_ms = self._growing, newest_allowed(self._now())
        while self._messages and batch.size < self._batch_commands and batch.bytes < MAX_BATCH_BYTES:
            batch.add(read_delivery(self._messages.popleft(), limit_ms, self._access))
        self._has_some.set()
        if batch.size >= self._enough or batch.bytes >= MAX_BATCH_BYTES:
            self._has_enough.set()
        if self._messages:
            self._has_room.clear()
        else:
            self._arrived.clear()
