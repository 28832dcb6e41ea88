"""Sends messages to single lanes, and hears what became of their commands."""

import asyncio
from contextlib import suppress
from uuid import uuid4

from aio_pika.abc import AbstractIncomingMessage, HeadersType

from memlane.contracts import headers
from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.instants import now, to_text
from memlane.contracts.receipt import RECEIPT_ENVELOPE, SinkReceipt
from memlane.contracts.topology import lane_queue
from memlane.contracts.validation import validate
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.workers.access import principal_headers
from memlane.workers.parcels import Parcel


class Sent:
    """A message to a lane, and the receipts so far. Used as a context, in which it is listened for.

    Args:
        sender: of whom.
        sink: whose lane.
        parcel: the message.
        repair: whether another sink holds what it brings.
    """

    def __init__(self, sender: "LaneSender", sink: str, parcel: Parcel, *, repair: bool) -> None:
        self.receipts: dict[str, SinkReceipt] = {}
        self._sender = sender
        self._sink = sink
        self._parcel = parcel
        self._repair = repair
        self._correlation_id = uuid4().hex
        self._decided = asyncio.Event()

    def __enter__(self) -> "Sent":
        self._sender.waiting[self._correlation_id] = self
        return self

    def __exit__(self, *_: object) -> None:
        del self._sender.waiting[self._correlation_id]

    @property
    def is_decided(self) -> bool:
        """Whether there is a receipt for each of its commands."""
        return self._decided.is_set()

    async def publish(self) -> None:
        """Publishes it; again does no harm.

        Raises:
            BrokerError: it could not be published.
        """
        # Not new: it says nothing about its producer's clock now.
        fields: HeadersType = {headers.FIRST_SEEN: to_text(now())}
        if self._parcel.principal is not None:
            fields.update(principal_headers(self._parcel.principal))
        if self._repair:
            fields[headers.REPAIR] = True
        await self._sender.publisher.publish(
            DEFAULT_EXCHANGE,
            lane_queue(self._sink),
            self._parcel.body,
            headers=fields,
            reply_to=DIRECT_REPLY_TO,
            correlation_id=self._correlation_id,
        )

    async def wait(self, seconds: float) -> None:
        """Returns when all is decided, or after the time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._decided.wait()

    def take(self, receipts: list[SinkReceipt]) -> None:
        """Takes receipts that came."""
        self.receipts.update((receipt.id, receipt) for receipt in receipts)
        if self._parcel.versions <= self.receipts.keys():
            self._decided.set()


class LaneSender:
    """Sends to lanes. Receipts come back on the publisher's channel.

    Args:
        publisher: with nothing else that listens for direct replies.
    """

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.waiting: dict[str, Sent] = {}

    async def open(self) -> None:
        """Starts to listen for receipts."""
        replies = await self.publisher.channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await replies.consume(self._on_receipt, no_ack=True)

    def send(self, sink: str, parcel: Parcel, *, repair: bool = False) -> Sent:
        """A message, to be published in its context.

        Args:
            sink: whose lane.
            parcel: the message.
            repair: whether another sink holds what it brings: then it is taken below the floor as well.
        """
        return Sent(self, sink, parcel, repair=repair)

    async def _on_receipt(self, message: AbstractIncomingMessage) -> None:
        sent = self.waiting.get(message.correlation_id or "")
        if sent is None:
            return
        with suppress(InvalidInput):
            sent.take(validate(RECEIPT_ENVELOPE, parse(message.body)).receipts)
