"""From the command log to one lane: every message that was there at the beginning, until it is decided."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, HeadersType

from memlane.contracts import headers
from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.instants import now, to_text
from memlane.contracts.receipt import RECEIPT_ENVELOPE
from memlane.contracts.topology import LOG, lane_queue
from memlane.contracts.validation import validate
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.broker.stream import StreamReader, mark_end, read_stream
from memlane.workers.access import principal_headers
from memlane.workers.lane.delivery import newest_allowed
from memlane.workers.rebuilder.window import Parcel, Window

MAX_UNDER_WAY: Final = 8
"""Messages (of 500 commands, or 1 MiB) that are in the lane and not decided: its own traffic goes on."""

PREFETCH: Final = 100
"""Messages of the log that are read ahead, each of 1 MiB at most."""

RESEND_SECONDS: Final = 30.0
"""A receipt that has not come by then was lost, or its command waits to be tried again."""


@dataclass(slots=True)
class Progress:
    """What a backfill has come to.

    Attributes:
        messages: decided by the lane.
        commands: in them; what is superseded is not sent.
        gap: whether the log began later than the first command, so that the rest must come from another sink.
    """

    messages: int = 0
    commands: int = 0
    gap: bool = False


@dataclass(slots=True)
class _UnderWay:
    """A message that was sent to the lane: the versions that are not decided yet."""

    missing: set[str]
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class Backfill:
    """One backfill of one sink.

    Args:
        sink: its name.
        publisher: to the lane; receipts come back on its channel.
        workers: the accounts whose word on a message's principal is believed.
        poison: versions that are left out: they are parked, and would end the worker again.
        is_working: whether the lane would decide what is sent now: else nothing is sent again.
    """

    def __init__(
        self,
        sink: str,
        publisher: Publisher,
        workers: frozenset[str],
        poison: frozenset[str],
        is_working: Callable[[], Awaitable[bool]],
    ) -> None:
        self._is_working = is_working
        self._poison = poison
        self._workers = workers
        self.progress = Progress()
        self._sink = sink
        self._publisher = publisher
        self._under_way: dict[str, _UnderWay] = {}
        self._room = asyncio.Semaphore(MAX_UNDER_WAY)

    async def run(self, connection: AbstractConnection) -> None:
        """Sends what the log has, and returns when the lane has decided all of it.

        Raises:
            BrokerError: the broker went away; it has to be begun again.
        """
        replies = await self._publisher.channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await replies.consume(self._on_receipt, no_ack=True)
        mark = await mark_end(self._publisher, LOG)
        async with (
            read_stream(connection, LOG, "first", prefetch=PREFETCH) as reader,
            asyncio.TaskGroup() as group,
        ):
            await self._send_all(reader, mark, group)

    async def _send_all(self, reader: StreamReader, mark: str, group: asyncio.TaskGroup) -> None:
        window = Window(self._workers)
        async for message in reader.until(mark):
            window.add(message)
            if window.is_full:
                await self._send(window, group)
                window = Window(self._workers)
        await self._send(window, group)
        self.progress.gap = bool(reader.first_offset)

    async def _send(self, window: Window, group: asyncio.TaskGroup) -> None:
        for parcel in window.parcels(newest_allowed(now()), self._poison):
            if parcel.versions:
                await self._room.acquire()
                group.create_task(self._until_decided(parcel))

    async def _until_decided(self, parcel: Parcel) -> None:
        """Sends a message, and again if its receipts do not come."""
        correlation_id = uuid4().hex
        one = self._under_way[correlation_id] = _UnderWay(set(parcel.versions))
        fields: HeadersType = {
            **principal_headers(parcel.principal),
            # Not new: it says nothing about its producer's clock now.
            headers.FIRST_SEEN: to_text(now()),
        }
        try:
            again = False
            while not one.decided.is_set():
                if not again or await self._is_working():
                    await self._publisher.publish(
                        DEFAULT_EXCHANGE,
                        lane_queue(self._sink),
                        parcel.body,
                        headers=fields,
                        reply_to=DIRECT_REPLY_TO,
                        correlation_id=correlation_id,
                    )
                again = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(RESEND_SECONDS):
                        await one.decided.wait()
        finally:
            del self._under_way[correlation_id]
            self._room.release()
        self.progress.messages += 1
        self.progress.commands += len(parcel.versions)

    async def _on_receipt(self, message: AbstractIncomingMessage) -> None:
        one = self._under_way.get(message.correlation_id or "")
        if one is None:
            return
        try:
            envelope = validate(RECEIPT_ENVELOPE, parse(message.body))
        except InvalidInput:
            return
        one.missing -= {receipt.id for receipt in envelope.receipts}
        if not one.missing:
            one.decided.set()
