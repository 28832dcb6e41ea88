"""From the command log to one lane: a stretch of it, until every command of it is decided."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from aio_pika.abc import AbstractConnection

from memlane.contracts.instants import now
from memlane.contracts.topology import LOG
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.stream import Offset, StreamMessage, StreamReader, end_of, read_stream
from memlane.workers.lane.delivery import newest_allowed
from memlane.workers.lane_sender import LaneSender
from memlane.workers.parcels import Parcel
from memlane.workers.rebuilder.window import Window

MAX_UNDER_WAY: Final = 8
"""Messages (of 500 commands, or 1 MiB) that are in the lane and not decided: its own traffic goes on."""

PREFETCH: Final = 100
"""Messages of the log that are read ahead, each of 1 MiB at most."""

RESEND_SECONDS: Final = 30.0
"""A receipt that has not come by then was lost, or its command waits to be tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Which part of the log, and how fast.

    Attributes:
        begin: as the broker takes it: an offset, a time, or `first`.
        until: the offset at which it ends, exclusively; None: what there is now.
        rate: the most commands a second; None: as fast as the lane decides.
    """

    begin: Offset = "first"
    until: int | None = None
    rate: float | None = None


EVERYTHING: Final = Stretch()


@dataclass(slots=True)
class Progress:
    """What a backfill has come to.

    Attributes:
        messages: decided by the lane.
        commands: in them; what is superseded is not sent.
        parked: of the commands: they are in the dead-letter queue now.
        first_offset: where the reading began; None before.
        offset: up to there (exclusively) everything is decided: it may go on from there.
        end_offset: where the stretch ends (exclusively); None before.
    """

    messages: int = 0
    commands: int = 0
    parked: int = 0
    first_offset: int | None = None
    offset: int | None = None
    end_offset: int | None = None

    @property
    def gap(self) -> bool:
        """Whether the log began later than its first command, so that the rest must come from elsewhere."""
        return bool(self.first_offset)


@dataclass(slots=True)
class _Window:
    """A window that was sent: up to which offset it goes, and what of it is not decided yet."""

    end: int
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class Backfill:
    """One backfill of one sink.

    Args:
        sink: its name.
        publisher: to the lane; receipts come back on its channel.
        workers: the accounts whose word on a message's principal is believed.
        poison: versions that are left out: they are parked, and would end the worker again.
        is_working: whether the lane would decide what is sent now: else nothing is sent again.
        stretch: of the log.
    """

    def __init__(
        self,
        sink: str,
        publisher: Publisher,
        *,
        workers: frozenset[str],
        poison: frozenset[str],
        is_working: Callable[[], Awaitable[bool]],
        stretch: Stretch = EVERYTHING,
    ) -> None:
        self.progress = Progress()
        self._sink = sink
        self._publisher = publisher
        self._sender = LaneSender(publisher)
        self._workers = workers
        self._poison = poison
        self._is_working = is_working
        self._stretch = stretch
        self._room = asyncio.Semaphore(MAX_UNDER_WAY)
        self._sent: deque[_Window] = deque()
        self._began = 0.0
        self._paced = 0

    async def run(self, connection: AbstractConnection) -> None:
        """Sends what the stretch has, and returns when the lane has decided all of it.

        Raises:
            BrokerError: the broker went away; it may go on from `progress.offset`.
        """
        await self._sender.open()
        self._began = time.monotonic()
        mark, end = await end_of(connection, self._publisher, LOG)
        self.progress.end_offset = end if self._stretch.until is None else min(end, self._stretch.until)
        begin = self._stretch.begin
        async with (
            read_stream(connection, LOG, begin, prefetch=PREFETCH) as reader,
            asyncio.TaskGroup() as group,
        ):
            await self._send_all(reader, mark, group)
        self._advance()

    async def _send_all(self, reader: StreamReader, mark: str, group: asyncio.TaskGroup) -> None:
        window, end = Window(self._workers), None
        async for message in self._within(reader, mark):
            window.add(message)
            end = message.offset + 1
            if window.is_full:
                await self._send(window, end, group)
                window = Window(self._workers)
        self.progress.first_offset = reader.first_offset
        if end is not None:
            await self._send(window, end, group)

    async def _within(self, reader: StreamReader, mark: str) -> AsyncIterator[StreamMessage]:
        """The messages of the stretch. A chunk may begin before the offset that was asked for."""
        begin, until = self._stretch.begin, self._stretch.until
        async for message in reader.until(mark):
            self.progress.first_offset = reader.first_offset
            if isinstance(begin, int) and message.offset < begin:
                continue
            if until is not None and message.offset >= until:
                return
            yield message

    async def _send(self, window: Window, end: int, group: asyncio.TaskGroup) -> None:
        sent = _Window(end)
        self._sent.append(sent)
        for parcel in window.parcels(newest_allowed(now()), self._poison):
            if parcel.versions:
                await self._pace(len(parcel.versions))
                await self._room.acquire()
                sent.tasks.append(group.create_task(self._until_decided(parcel)))
        self._advance()

    async def _pace(self, commands: int) -> None:
        if self._stretch.rate is not None:
            ahead = self._paced / self._stretch.rate - (time.monotonic() - self._began)
            await asyncio.sleep(max(0.0, ahead))
        self._paced += commands

    def _advance(self) -> None:
        """Moves the offset past the windows that are decided as a whole, in their order."""
        while self._sent and all(task.done() and not task.cancelled() for task in self._sent[0].tasks):
            self.progress.offset = self._sent.popleft().end

    async def _until_decided(self, parcel: Parcel) -> None:
        """Sends a message, and again if its receipts do not come."""
        try:
            with self._sender.send(self._sink, parcel) as sent:
                await sent.publish()
                await sent.wait(RESEND_SECONDS)
                while not sent.is_decided:
                    if await self._is_working():
                        await sent.publish()
                    await sent.wait(RESEND_SECONDS)
        finally:
            self._room.release()
        self.progress.messages += 1
        self.progress.commands += len(parcel.versions)
        self.progress.parked += sum(one.decision == "parked" for one in sent.receipts.values())
