"""A message as a lane took it from its queue, and what it says."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aio_pika.abc import HeadersType
from aiormq.abc import DeliveredMessage

from memlane.contracts import headers
from memlane.contracts.codec import BadCommand, decode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import InvalidInput, MalformedMessage, VersionFromFuture
from memlane.contracts.instants import to_microseconds
from memlane.contracts.limits import MAX_CLOCK_AHEAD
from memlane.contracts.version import make_version, version_milliseconds
from memlane.workers.access import Access, Principal, principal_of
from memlane.workers.replying import is_reply_address

MAX_ATTEMPTS: Final = 1000
"""More than any lane tries: a header that says so did not come from one."""

_OLDEST: Final = make_version(0, 0)


@dataclass(slots=True)
class Delivery:
    """One message: the commands that can be applied, and those that are to be parked with the reason.

    Attributes:
        message: as it came from the broker, not acked.
        commands: the good ones.
        bad: commands that can't be taken, by position in the message where that is known.
        malformed: set where the envelope itself can't be read.
        parked_whole: whether the message is in the dead-letter queue as it came.
    """

    message: DeliveredMessage
    commands: list[AnyCommand]
    bad: list[BadCommand]
    malformed: MalformedMessage | None = None
    parked_whole: bool = False

    @property
    def body(self) -> bytes:
        """As it came."""
        return self.message.body

    @property
    def tag(self) -> int:
        """By which the channel acks it."""
        return self.message.delivery_tag or 0

    @property
    def headers(self) -> HeadersType:
        """Of the message; whoever published it may have put anything there."""
        return self.message.header.properties.headers or {}

    @property
    def attempt(self) -> int:
        """How often it has been tried before this delivery, by our own header."""
        value = self.headers.get(headers.ATTEMPT, 0)
        return value if isinstance(value, int) and 0 <= value <= MAX_ATTEMPTS else 0

    @property
    def reply_to(self) -> str | None:
        """Where somebody waits for what is decided about it; None unless that is a direct reply address."""
        address = self.message.header.properties.reply_to
        return address if is_reply_address(address) else None

    @property
    def correlation_id(self) -> str | None:
        """To be sent back with a receipt."""
        return self.message.header.properties.correlation_id

    @property
    def user_id(self) -> str | None:
        """The account that published it, verified by the broker."""
        return self.message.header.properties.user_id

    @property
    def app_id(self) -> str | None:
        """The client that published it, as it says itself."""
        return self.message.header.properties.app_id

    @property
    def producer(self) -> tuple[str | None, str | None]:
        """Who sent it, as well as that is known: several clients may share an account."""
        properties = self.message.header.properties
        return properties.user_id, properties.app_id

    @property
    def is_new(self) -> bool:
        """Whether no lane has failed at it before: a retry says nothing about its producer's clock now."""
        return headers.FIRST_SEEN not in self.headers

    @property
    def is_ahead(self) -> bool:
        """Whether any of its versions comes from the future."""
        return bool(self.bad) and any(isinstance(bad.error, VersionFromFuture) for bad in self.bad)


def newest_allowed(now: datetime) -> int:
    """Up to which time a version may be, in milliseconds since 1970, by a worker's clock."""
    return to_microseconds(now + MAX_CLOCK_AHEAD) // 1000


def read_delivery(message: DeliveredMessage, limit_ms: int, access: Access | None = None) -> Delivery:
    """What a message says. Never raises: what can't be read is in the result.

    Args:
        message: as it came.
        limit_ms: a version later than that comes from the future, see `newest_allowed`.
        access: who may write what; None: everybody everything.
    """
    try:
        decoded = decode_message(message.body)
    except MalformedMessage as error:
        return Delivery(message, [], [], error)
    except Exception as error:  # noqa: BLE001  whatever it is, it must not come back for ever
        unreadable = MalformedMessage("body", f"can't be read: {type(error).__name__}")
        return Delivery(message, [], [], unreadable)
    commands, bad = decoded.commands, decoded.bad
    if access is not None:
        # Before the clock is looked at: who has no right here can't make a worker doubt its clock either.
        commands, denied = access.split(_principal(message, access), commands)
        bad = bad + denied
    newest = max((command.id for command in commands), default=_OLDEST)
    if version_milliseconds(newest) <= limit_ms:
        return Delivery(message, commands, bad)
    return _without_future(message, commands, bad, limit_ms)


def _principal(message: DeliveredMessage, access: Access) -> Principal:
    properties = message.header.properties
    return principal_of(properties.user_id, properties.headers or {}, access.worker_accounts)


def _without_future(
    message: DeliveredMessage, commands: list[AnyCommand], bad: list[BadCommand], limit_ms: int
) -> Delivery:
    good: list[AnyCommand] = []
    for command in commands:
        ahead_ms = version_milliseconds(command.id) - limit_ms
        if ahead_ms <= 0:
            good.append(command)
        else:
            bad.append(BadCommand(-1, command, _from_future(command, ahead_ms)))
    return Delivery(message, good, bad)


def _from_future(command: AnyCommand, ahead_ms: int) -> InvalidInput:
    minutes = int(MAX_CLOCK_AHEAD.total_seconds() // 60)
    ahead = timedelta(seconds=round(ahead_ms / 1000)) + MAX_CLOCK_AHEAD
    return VersionFromFuture(
        "id",
        f"the version {command.id} is {ahead} (h:mm:ss) ahead of this worker's clock;"
        f" at most {minutes} minutes are allowed",
        hint="set the producer's clock; memlane dead retry --restamp gives the command the time of then",
    )
