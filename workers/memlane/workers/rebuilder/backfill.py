"""From the command log to one lane: every message that was there at the beginning, until it is decided."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from aio_pika.abc import AbstractConnection, AbstractIncomingMessage, HeadersType

from memlane.contracts.canonical import parse
from memlane.contracts.codec import decode_message, encode_message
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.receipt import RECEIPT_ENVELOPE
from memlane.contracts.topology import LOG, lane_queue
from memlane.contracts.validation import validate
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.broker.stream import StreamMessage, StreamReader, read_stream
from memlane.workers.access import principal_headers, principal_of

MAX_UNDER_WAY: Final = 100
"""Messages that are in the lane and not decided: its own traffic goes on beside them."""

PREFETCH: Final = 50
"""Messages of the log that are read ahead, each of 1 MiB at most."""

QUIET_SECONDS: Final = 3.0
"""Where nothing comes from the log for so long, it is at its end."""

RESEND_SECONDS: Final = 30.0
"""A receipt that has not come by then was lost, or its command waits to be tried again."""


@dataclass(slots=True)
class Progress:
    """What a backfill has come to.

    Attributes:
        messages: decided by the lane.
        commands: in them.
        gap: whether the log began later than the first command, so that the rest must come from another sink.
    """

    messages: int = 0
    commands: int = 0
    gap: bool = False


@dataclass(slots=True)
class _UnderWay:
    """A message that was sent to the lane: the versions that are not decided yet."""

    body: bytes
    headers: HeadersType
    missing: set[str]
    decided: asyncio.Event = field(default_factory=asyncio.Event)


class Backfill:
    """One backfill of one sink.

    Args:
        sink: its name.
        publisher: to the lane; receipts come back on its channel.
        workers: the accounts whose word on a message's principal is believed.
        is_working: whether the lane would decide what is sent now: else nothing is sent again.
    """

    def __init__(
        self,
        sink: str,
        publisher: Publisher,
        workers: frozenset[str],
        is_working: Callable[[], Awaitable[bool]],
    ) -> None:
        self._is_working = is_working
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
        async with (
            read_stream(connection, LOG, "next", prefetch=1) as newer,
            read_stream(connection, LOG, "first", prefetch=PREFETCH) as reader,
            asyncio.TaskGroup() as group,
        ):
            end = group.create_task(newer.next())
            try:
                await self._send_all(reader, end, group)
            finally:
                end.cancel()

    async def _send_all(
        self,
        reader: StreamReader,
        end: "asyncio.Task[StreamMessage | None]",
        group: asyncio.TaskGroup,
    ) -> None:
        is_first = True
        async for message in reader.until_quiet(QUIET_SECONDS, QUIET_SECONDS):
            if is_first:
                self.progress.gap, is_first = message.offset > 0, False
            if _is_behind(message, end):
                return
            one = _read(message, self._workers)
            if one.missing:
                await self._room.acquire()
                group.create_task(self._until_decided(one, message.app_id))

    async def _until_decided(self, one: "_UnderWay", app_id: str | None) -> None:
        """Sends a message, and again if its receipts do not come."""
        commands = len(one.missing)
        correlation_id = uuid4().hex
        self._under_way[correlation_id] = one
        try:
            again = False
            while not one.decided.is_set():
                if not again or await self._is_working():
                    await self._publisher.publish(
                        DEFAULT_EXCHANGE,
                        lane_queue(self._sink),
                        one.body,
                        headers=one.headers,
                        reply_to=DIRECT_REPLY_TO,
                        correlation_id=correlation_id,
                        app_id=app_id,
                    )
                again = True
                with suppress(TimeoutError):
                    async with asyncio.timeout(RESEND_SECONDS):
                        await one.decided.wait()
        finally:
            del self._under_way[correlation_id]
            self._room.release()
        self.progress.messages += 1
        self.progress.commands += commands

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


def _is_behind(message: StreamMessage, end: "asyncio.Task[StreamMessage | None]") -> bool:
    """Whether a message came after the beginning: the lane has it from its producer."""
    if not end.done():
        return False
    newer = end.result()
    return newer is not None and message.offset >= newer.offset


def _read(message: StreamMessage, workers: frozenset[str]) -> _UnderWay:
    """What a lane can take of a message. The rest was parked when it came."""
    # Whose command it is stays known: the broker verified it when it came.
    principal = principal_headers(principal_of(message.user_id, message.headers, workers))
    try:
        decoded = decode_message(message.body)
    except MalformedMessage:
        return _UnderWay(message.body, principal, set())
    versions = {command.id for command in decoded.commands}
    if not decoded.bad or not versions:
        return _UnderWay(message.body, principal, versions)
    try:
        return _UnderWay(encode_message(decoded.commands), principal, versions)
    except InvalidInput:
        # In canonical form it would be too large. What is bad in it is parked again.
        return _UnderWay(message.body, principal, versions)
