"""Writing commands: publish, and wait as far as the caller asked for."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence, Set
from datetime import timedelta
from typing import Final, Literal

from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.errors import IncompleteAnswer, InvalidInput
from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.producers.client.forwarding import Forwarding
from memlane.producers.client.receipt_book import Expected, ReceiptBook

_SINKS_KNOWN_SECONDS: Final = 60.0
_NOTHING: Final = timedelta(0)

Wait = Literal["outbox", "broker", "any", "all"] | Set[str]
"""How far a command must have come before its method returns."""


class Writer:
    """Publishes commands and collects their receipts.

    Args:
        forwarding: to the broker, or to the outbox.
        receipts: what the lanes say.
        sinks: tells which sinks there are, for `wait="all"`.
        clock: moves past the versions that receipts name.
        deadline: how long to wait for receipts.
    """

    def __init__(
        self,
        forwarding: Forwarding,
        receipts: ReceiptBook,
        sinks: Callable[[], Awaitable[frozenset[str]]],
        *,
        clock: HybridClock,
        deadline: timedelta,
    ) -> None:
        self._forwarding = forwarding
        self._sender = forwarding.sender
        self._receipts = receipts
        self._sinks = sinks
        self._clock = clock
        self._deadline = deadline
        self._known_sinks: frozenset[str] = frozenset()
        self._known_until = 0.0

    async def write(self, command: AnyCommand, wait: Wait) -> Receipt:
        """Publishes one command.

        A delete that a clock running ahead has superseded is issued once more, just past that version.

        Raises:
            BrokerError: it could not be published.
            OutboxError: nor put into the outbox.
        """
        encoded = encode_command(command)
        if wait == "outbox":
            await self._forwarding.append([encoded])
            return _queued(command)
        if wait == "broker":
            confirmed = await self._sender.send(encoded)
            return Receipt(version=command.id, confirmed=confirmed, queued=not confirmed)
        expected = await self._expected([command], wait)
        receipt = (await self._write_waiting([command], [encoded], expected))[0]
        if isinstance(command, StoreCommand) or receipt.queued or not expected[command.id].overtaken:
            return receipt
        again = command.model_copy(update={"id": self._clock.next()})
        expected = await self._expected([again], wait)
        return (await self._write_waiting([again], [encode_command(again)], expected))[0]

    async def write_many(self, commands: Sequence[AnyCommand], wait: Wait) -> list[Receipt]:
        """Publishes commands, as many as fit in a message together.

        Raises:
            InvalidInput: one is too large; nothing was sent.
            BrokerError: not all of them could be published.
            OutboxError: nor put into the outbox; with `outbox`, none of them was.
        """
        encoded = [encode_command(command) for command in commands]
        if wait == "outbox":
            await self._forwarding.append(encoded)
            return [_queued(command) for command in commands]
        if wait != "broker":
            return await self._write_waiting(commands, encoded, await self._expected(commands, wait))
        told = await asyncio.gather(*(self._sender.enqueue(one) for one in encoded))
        return [
            Receipt(version=command.id, confirmed=confirmed, queued=not confirmed)
            for command, confirmed in zip(commands, told, strict=True)
        ]

    async def _write_waiting(
        self, commands: Sequence[AnyCommand], encoded: Sequence[bytes], expected: dict[str, Expected]
    ) -> list[Receipt]:
        for version, one in expected.items():
            self._receipts.expect(version, one)
        try:
            sent = await asyncio.gather(*(self._sender.enqueue(one, wants_receipt=True) for one in encoded))
            confirmed = {command.id: one for command, one in zip(commands, sent, strict=True)}
            # Nobody decides what is still here, in the outbox.
            waited = await asyncio.gather(
                *(one.wait(self._deadline if confirmed[id_] else _NOTHING) for id_, one in expected.items())
            )
        finally:
            for version in expected:
                self._receipts.forget(version)
        for receipts in waited:
            self._observe(receipts)
        # By version: the same command may be there twice.
        told = dict(zip(expected, waited, strict=True))
        return [
            Receipt(
                version=one.id,
                confirmed=confirmed[one.id],
                queued=not confirmed[one.id],
                sinks=told[one.id],
            )
            for one in commands
        ]

    async def _expected(self, commands: Sequence[AnyCommand], wait: Wait) -> dict[str, Expected]:
        target = await self._target(wait)
        return {command.id: Expected(target, self._clock.is_ahead) for command in commands}

    async def _target(self, wait: Wait) -> "frozenset[str] | Literal['any']":
        if wait == "any":
            return "any"
        if wait == "all":
            return await self._all_sinks()
        if isinstance(wait, Set) and wait and all(isinstance(name, str) for name in wait):
            return frozenset(wait)
        message = f"{wait!r} is not one of 'outbox', 'broker', 'any', 'all' or a set of sinks"
        raise InvalidInput("wait", message)

    async def _all_sinks(self) -> frozenset[str]:
        """As the aggregator said within the last minute; longer ago, where it can't say now.

        While the broker is away nobody can say: then none, where none are known.

        Raises:
            IncompleteAnswer: it never could.
        """
        if time.monotonic() >= self._known_until and not self._forwarding.is_away:
            try:
                self._known_sinks = await self._sinks()
            except IncompleteAnswer as error:
                if not self._known_sinks and not self._forwarding.is_away:
                    raise IncompleteAnswer(
                        f"nothing was sent: nobody could say which sinks there are ({error.message})",
                        hint="is `memlane up` running, and reachable? To wait for no sink, say 'broker'",
                    ) from error
                return self._known_sinks
            self._known_until = time.monotonic() + _SINKS_KNOWN_SECONDS
        return self._known_sinks

    def _observe(self, receipts: dict[str, SinkReceipt | None]) -> None:
        for receipt in receipts.values():
            if receipt is not None and receipt.newer is not None:
                self._clock.observe(receipt.newer)


def _queued(command: AnyCommand) -> Receipt:
    return Receipt(version=command.id, confirmed=False, queued=True)
