"""Writing commands: publish, and wait as far as the caller asked for."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import timedelta
from typing import Literal

from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.producers.client.command_sender import CommandSender
from memlane.producers.client.receipt_book import Expected, ReceiptBook

Wait = Literal["broker", "any", "all"] | Set[str]
"""How far a command must have come before its method returns."""


class Writer:
    """Publishes commands and collects their receipts.

    Args:
        sender: to the broker.
        receipts: what the lanes say.
        sinks: tells which sinks there are, for `wait="all"`.
        clock: moves past the versions that receipts name.
        deadline: how long to wait for receipts.
    """

    def __init__(
        self,
        sender: CommandSender,
        receipts: ReceiptBook,
        sinks: Callable[[], Awaitable[frozenset[str]]],
        *,
        clock: HybridClock,
        deadline: timedelta,
    ) -> None:
        self._sender = sender
        self._receipts = receipts
        self._sinks = sinks
        self._clock = clock
        self._deadline = deadline
        self._known_sinks: frozenset[str] | None = None

    async def write(self, command: AnyCommand, wait: Wait) -> Receipt:
        """Publishes one command.

        A delete that a clock running ahead has superseded is issued once more, just past that version.

        Raises:
            BrokerError: it could not be published.
        """
        encoded = encode_command(command)
        if wait == "broker":
            await self._sender.send(encoded)
            return Receipt(version=command.id, confirmed=True)
        receipt = (await self._write_waiting([command], [encoded], wait))[0]
        if isinstance(command, StoreCommand) or not self._is_overtaken(command, receipt):
            return receipt
        again = command.model_copy(update={"id": self._clock.next()})
        return (await self._write_waiting([again], [encode_command(again)], wait))[0]

    async def write_many(self, commands: Sequence[AnyCommand], wait: Wait) -> list[Receipt]:
        """Publishes commands, as many as fit in a message together.

        Raises:
            InvalidInput: one is too large; nothing was sent.
            BrokerError: not all of them could be published.
        """
        encoded = [encode_command(command) for command in commands]
        if wait != "broker":
            return await self._write_waiting(commands, encoded, wait)
        await asyncio.gather(*(self._sender.enqueue(one) for one in encoded))
        return [Receipt(version=command.id, confirmed=True) for command in commands]

    async def flush(self) -> None:
        """Returns when everything sent before is confirmed or has failed."""
        await self._sender.flush()

    async def _write_waiting(
        self, commands: Sequence[AnyCommand], encoded: Sequence[bytes], wait: Wait
    ) -> list[Receipt]:
        target = await self._target(wait)
        expected = {command.id: Expected(target) for command in commands}
        for version, one in expected.items():
            self._receipts.expect(version, one)
        try:
            await asyncio.gather(*(self._sender.enqueue(one, wants_receipt=True) for one in encoded))
            waited = await asyncio.gather(*(one.wait(self._deadline) for one in expected.values()))
        finally:
            for version in expected:
                self._receipts.forget(version)
        for receipts in waited:
            self._observe(receipts)
        # By version: the same command may be there twice.
        told = dict(zip(expected, waited, strict=True))
        return [Receipt(version=one.id, confirmed=True, sinks=told[one.id]) for one in commands]

    async def _target(self, wait: Wait) -> "frozenset[str] | Literal['any']":
        if wait == "any":
            return "any"
        if wait == "all":
            if self._known_sinks is None:
                self._known_sinks = await self._sinks()
            return self._known_sinks
        if isinstance(wait, Set) and wait and all(isinstance(name, str) for name in wait):
            return frozenset(wait)
        message = f"{wait!r} is not one of 'broker', 'any', 'all' or a set of sinks"
        raise InvalidInput("wait", message)

    def _observe(self, receipts: dict[str, SinkReceipt | None]) -> None:
        for receipt in receipts.values():
            if receipt is not None and receipt.newer is not None:
                self._clock.observe(receipt.newer)

    def _is_overtaken(self, command: AnyCommand, receipt: Receipt) -> bool:
        """Whether some sink has a version from after this command was made, by a clock ahead of ours."""
        newer = [said.newer for said in receipt.sinks.values() if said and said.newer]
        return any(version > command.id and self._clock.is_ahead(version) for version in newer)
