"""Who waits for which command's receipts."""

import asyncio
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Literal

from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput
from memlane.contracts.receipt import RECEIPT_ENVELOPE, SinkReceipt
from memlane.contracts.validation import validate
from memlane.producers.client.session import Incoming


class Expected:
    """The receipts of one command, as they come in.

    Args:
        sinks: those whose decision is waited for; `any`: the first that has the command's effect.
        is_ahead: whether a version is from after now.

    Attributes:
        receipts: by sink.
        overtaken: whether some sink has a version that was from after the time when it said so.
    """

    def __init__(self, sinks: Iterable[str] | Literal["any"], is_ahead: Callable[[str], bool]) -> None:
        self._is_ahead = is_ahead
        self.overtaken = False
        self._enough = None if sinks == "any" else frozenset(sinks)
        self._told = asyncio.Event()
        self.receipts: dict[str, SinkReceipt] = {}

    def note(self, sink: str, receipt: SinkReceipt) -> None:
        """Takes a receipt."""
        self.receipts[sink] = receipt
        # At once: while others are waited for, the time may pass that version.
        if receipt.newer is not None and self._is_ahead(receipt.newer):
            self.overtaken = True
        if self._enough is None:
            if receipt.decision != "parked":
                self._told.set()
        elif self._enough <= self.receipts.keys():
            self._told.set()

    async def wait(self, within: timedelta) -> dict[str, SinkReceipt | None]:
        """What was decided by then; None for a sink that was waited for and has not decided."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._told.wait()
        pending: dict[str, SinkReceipt | None] = dict.fromkeys(self._enough or ())
        return {**pending, **self.receipts}


class ReceiptBook:
    """Matches the lanes' receipts with who waits for them."""

    def __init__(self) -> None:
        self._expected: dict[str, Expected] = {}

    def expect(self, version: str, expected: Expected) -> None:
        """From now on, receipts of this command go there."""
        self._expected[version] = expected

    def forget(self, version: str) -> None:
        """Nobody waits for this command any more."""
        self._expected.pop(version, None)

    async def on_receipt(self, message: Incoming) -> None:
        """Takes a lane's message from the link. One that can't be read counts as none."""
        try:
            envelope = validate(RECEIPT_ENVELOPE, parse(message.body))
        except InvalidInput:
            return
        for receipt in envelope.receipts:
            if (expected := self._expected.get(receipt.id)) is not None:
                expected.note(envelope.sink, receipt)
