"""Telling whoever waits what a lane decided."""

from collections.abc import Sequence

from memlane.contracts.receipt import ReceiptEnvelope, SinkReceipt
from memlane.workers.lane.delivery import Delivery
from memlane.workers.replying import Replier


class ReceiptSender:
    """Sends one sink's receipts."""

    def __init__(self, sink: str, replier: Replier) -> None:
        self._sink = sink
        self._replier = replier

    async def send(self, delivery: Delivery, receipts: Sequence[SinkReceipt]) -> None:
        """Answers a message's `reply_to`, if it has one and there is something to tell."""
        if not receipts or delivery.reply_to is None:
            return
        envelope = ReceiptEnvelope(sink=self._sink, receipts=list(receipts))
        body = envelope.model_dump_json(by_alias=True, exclude_none=True).encode()
        await self._replier.send(delivery.reply_to, body, delivery.correlation_id)
