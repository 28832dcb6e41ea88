"""What follows from the outcomes: park, retry, tell whoever waits; then the batch can be acked.

Retrying and parking are the lane's own acts: publish, await the confirm, and only then ack the original.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, get_args

import structlog
from aio_pika.abc import HeadersType
from pydantic import TypeAdapter, ValidationError

from memlane.contracts import headers
from memlane.contracts.canonical import Json
from memlane.contracts.codec import BadCommand, encode_envelope, encode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import InvalidInput, error_text
from memlane.contracts.identifiers import Version
from memlane.contracts.instants import to_text
from memlane.contracts.receipt import SinkReceipt
from memlane.contracts.topology import dead_queue, delay_name, retry_queue, suspect_queue
from memlane.producers import log_keys
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.broker.standings import say
from memlane.storage.outcome import Outcome
from memlane.workers.access import is_repair, principal_headers, principal_of
from memlane.workers.lane.delivery import Delivery
from memlane.workers.lane.failures import FailureKind, Poison, RefusedBySink, kind_of

log: Final = structlog.get_logger("memlane.lane")

SUSPECT: Final = "Suspect"
"""In place of an error's name, while it is not known whether the message is to blame."""

MAX_HEADER_CHARACTERS: Final = 64
_VERSION: Final[TypeAdapter[str]] = TypeAdapter(Version)
_COMMAND_TYPES: Final = get_args(AnyCommand)


class Settler:
    """Parks and delays what a lane could not apply.

    Args:
        sink: the lane's.
        publisher: on a connection of its own.
        retry_delays: how long a command waits before each further try; then it is parked.
        worker_accounts: whose headers `principal` and `repair` are believed.
    """

    def __init__(
        self,
        sink: str,
        publisher: Publisher,
        retry_delays: Sequence[timedelta],
        worker_accounts: frozenset[str],
    ) -> None:
        self._sink = sink
        self._publisher = publisher
        self._delays = retry_delays
        self._worker_accounts = worker_accounts

    def is_repair(self, delivery: Delivery) -> bool:
        """Whether a message brings what another sink holds."""
        return is_repair(delivery.user_id, delivery.headers, self._worker_accounts)

    async def settle(
        self, delivery: Delivery, results: Sequence[Outcome | Exception], now: datetime
    ) -> list[SinkReceipt]:
        """Parks and delays whatever of a delivery was not applied. Then the message can be acked.

        Args:
            delivery: the message.
            results: for each of its good commands.
            now: the time of this attempt.

        Returns:
            The receipts of the commands that are decided, for whoever waits for them.

        Raises:
            BrokerError: not everything could be published; the message must not be acked.
        """
        if delivery.malformed is not None:
            await self._park(delivery, None, _told(delivery.malformed), now)
            return []
        receipts = [await self._park_bad(delivery, bad, now) for bad in delivery.bad]
        failed: list[tuple[AnyCommand, Exception]] = []
        for command, result in zip(delivery.commands, results, strict=True):
            if isinstance(result, Exception):
                failed.append((command, result))
            elif result.decision == "refused":
                receipts.append(await self._park_refused(delivery, command, result, now))
            elif delivery.reply_to is not None:
                receipts.append(SinkReceipt(id=command.id, decision=result.decision, newer=result.newer))
        if failed:
            receipts += await self._retry_or_park(delivery, failed, now)
        return [receipt for receipt in receipts if receipt is not None]

    async def set_aside(self, delivery: Delivery, now: datetime) -> None:
        """Moves a message to where it is tried alone. Then it can be acked. Raises as `settle`."""
        await self._set_aside(delivery, delivery.body, now)

    async def set_aside_singly(self, delivery: Delivery, now: datetime) -> list[SinkReceipt]:
        """The same with each of its commands in a message of its own; the bad ones are parked.

        Returns:
            The receipts of what is parked.
        """
        receipts = await self.settle(replace(delivery, commands=[]), [], now)
        for command in delivery.commands:
            if (body := _alone([command])) is None:
                # Only its own message can say it, so that can't be taken apart.
                too_large = Poison("it came back too often, and is too large for a message of its own")
                return receipts + await self.park_poison(delivery, too_large, now)
            await self._set_aside(delivery, body, now)
        return receipts

    async def park_poison(self, delivery: Delivery, poison: Poison, now: datetime) -> list[SinkReceipt]:
        """Parks a message as it came, and says so to all workers. Then it can be acked. Raises as `settle`.

        Returns:
            The receipts of its commands.
        """
        await self._park(delivery, None, _told(poison), now)
        for command in delivery.commands:
            await say(self._publisher, self._sink, "poison", version=command.id)
        reason = error_text(poison)
        return [SinkReceipt(id=command.id, decision="parked", reason=reason) for command in delivery.commands]

    async def _set_aside(self, delivery: Delivery, body: bytes, now: datetime) -> None:
        told = (SUSPECT, "came back too often, is tried alone")
        await self._publish(suspect_queue(self._sink), delivery, body, told, now, attempt=delivery.attempt)

    async def _park_bad(self, delivery: Delivery, bad: BadCommand, now: datetime) -> SinkReceipt | None:
        await self._park(delivery, _bad_alone(bad.raw), _told(bad.error), now)
        identity = _identity(bad.raw)
        reason = error_text(bad.error)
        return None if identity is None else SinkReceipt(id=identity, decision="parked", reason=reason)

    async def _park_refused(
        self, delivery: Delivery, command: AnyCommand, outcome: Outcome, now: datetime
    ) -> SinkReceipt:
        reason = outcome.reason or "refused"
        await self._park(delivery, _alone([command]), _told(RefusedBySink(reason)), now)
        return SinkReceipt(id=command.id, decision="parked", reason=reason)

    async def _retry_or_park(
        self, delivery: Delivery, failed: Sequence[tuple[AnyCommand, Exception]], now: datetime
    ) -> list[SinkReceipt]:
        hopeless = [one for one in failed if kind_of(one[1]) is FailureKind.PERMANENT]
        hopeful = [one for one in failed if kind_of(one[1]) is not FailureKind.PERMANENT]
        if hopeful and delivery.attempt < len(self._delays):
            await self._delay(delivery, hopeful, now)
            hopeful = []
        return [await self._park_failed(delivery, *one, now) for one in (*hopeless, *hopeful)]

    async def _delay(
        self, delivery: Delivery, failed: Sequence[tuple[AnyCommand, Exception]], now: datetime
    ) -> None:
        delay = self._delays[delivery.attempt]
        body = _alone([command for command, _ in failed]) or delivery.body
        told = _told(failed[0][1])
        attempt = delivery.attempt + 1
        await self._publish(retry_queue(self._sink, delay), delivery, body, told, now, attempt=attempt)
        log.warning(
            "could not be applied, will be tried again",
            **{
                log_keys.SINK: self._sink,
                log_keys.COUNT: len(failed),
                log_keys.DELAY: delay_name(delay),
                log_keys.ERROR: told[0],
            },
        )

    async def _park_failed(
        self, delivery: Delivery, command: AnyCommand, error: Exception, now: datetime
    ) -> SinkReceipt:
        await self._park(delivery, _alone([command]), _told(error), now)
        return SinkReceipt(id=command.id, decision="parked", reason=error_text(error))

    async def _park(
        self, delivery: Delivery, body: bytes | None, told: tuple[str, str], now: datetime
    ) -> None:
        """Parks a part of a message; the whole of it, once, where the part can't be written by itself."""
        if body is None and delivery.parked_whole:
            return
        delivery.parked_whole = delivery.parked_whole or body is None
        body = body or delivery.body
        await self._publish(dead_queue(self._sink), delivery, body, told, now, attempt=delivery.attempt + 1)
        log.warning(
            "parked in the dead-letter queue; nothing else is held up by it",
            **{log_keys.SINK: self._sink, log_keys.ERROR: told[0]},
        )

    async def _publish(
        self,
        queue: str,
        delivery: Delivery,
        body: bytes,
        told: tuple[str, str],
        now: datetime,
        *,
        attempt: int,
    ) -> None:
        first_seen = _short_text(delivery, headers.FIRST_SEEN) or to_text(now)
        fields: HeadersType = {
            headers.ATTEMPT: attempt,
            headers.FIRST_SEEN: first_seen,
            headers.ERROR_CLASS: told[0],
            headers.ERROR_TEXT: told[1],
            headers.ORIGIN_LANE: self._sink,
        }
        principal = principal_of(delivery.user_id, delivery.headers, self._worker_accounts)
        fields.update(principal_headers(principal))
        if self.is_repair(delivery):
            fields[headers.REPAIR] = True
        if (trace := _short_text(delivery, headers.TRACEPARENT)) is not None:
            fields[headers.TRACEPARENT] = trace
        await self._publisher.publish(
            DEFAULT_EXCHANGE,
            queue,
            body,
            headers=fields,
            reply_to=delivery.reply_to,
            correlation_id=delivery.correlation_id,
            app_id=delivery.app_id,
        )


def _short_text(delivery: Delivery, header: str) -> str | None:
    """A header that may have come from outside: one that is no short text is left behind."""
    value = delivery.headers.get(header)
    return value if isinstance(value, str) and len(value) <= MAX_HEADER_CHARACTERS else None


def _told(error: Exception) -> tuple[str, str]:
    return type(error).__name__, error_text(error)


def _alone(commands: Sequence[AnyCommand]) -> bytes | None:
    """These commands in a message of their own; None where it would be too large.

    That can be: a number such as 1e15 takes more room in canonical form than it took when it came.
    """
    try:
        return encode_message(commands)
    except InvalidInput:
        return None


def _bad_alone(raw: Json) -> bytes | None:
    """A bad command in a message of its own; None where JSON can't say it again."""
    if isinstance(raw, _COMMAND_TYPES):
        return _alone([raw])
    try:
        text = json.dumps(raw, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
        return encode_envelope([text.encode()])
    except UnicodeEncodeError:
        # A lone surrogate can be written as an escape only.
        return encode_envelope([json.dumps(raw, allow_nan=False, separators=(",", ":")).encode()])
    except (TypeError, ValueError, RecursionError):
        return None


def _identity(raw: Json) -> str | None:
    """The version of a bad command, if it has a valid one, so that its receipt can name it."""
    if isinstance(raw, _COMMAND_TYPES):
        known: AnyCommand = raw
        return known.id
    claimed = raw.get("id") if isinstance(raw, dict) else None
    try:
        return _VERSION.validate_python(claimed)
    except ValidationError:
        return None
