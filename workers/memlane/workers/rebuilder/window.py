"""A stretch of the command log, as few messages: what is superseded within it is left out.

By address the highest version wins, so an older one leaves nothing behind in a sink. Only the same
principal's commands supersede each other here: what somebody else has no right to say supersedes nothing.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeGuard

from memlane.contracts.address import Address
from memlane.contracts.codec import decode_message, encode_command
from memlane.contracts.command import AddressCommand, AnyCommand
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.version import version_milliseconds
from memlane.producers.broker.stream import StreamMessage
from memlane.workers.access import Principal, principal_of
from memlane.workers.parcels import Parcel, packed

MAX_WINDOW_COMMANDS: Final = 5000
MAX_WINDOW_BYTES: Final = 16 * 1024 * 1024
"""Of the messages' bodies."""

LARGE: Final = 100
"""Commands of a message that is worth to be sent as it came: packing costs more than a message."""


@dataclass(frozen=True, slots=True)
class _Logged:
    """A message of the log: on whose behalf, its good commands, and whether it has no others."""

    principal: Principal
    body: bytes
    commands: list[AnyCommand]
    is_clean: bool

    def as_it_came(self) -> Parcel:
        """All of it."""
        return Parcel(self.principal, self.body, frozenset(command.id for command in self.commands))


@dataclass(slots=True)
class Window:
    """Messages of the log, until there are enough of them.

    Args:
        workers: the accounts whose word on a message's principal is believed.
    """

    workers: frozenset[str]
    messages: list[_Logged] = field(default_factory=list)
    commands: int = 0
    bytes: int = 0

    def add(self, message: StreamMessage) -> None:
        """Takes a message. What a lane can't take of it was parked when it came."""
        try:
            decoded = decode_message(message.body)
        except MalformedMessage:
            return
        principal = principal_of(message.user_id, message.headers, self.workers)
        self.messages.append(_Logged(principal, message.body, decoded.commands, is_clean=not decoded.bad))
        self.commands += len(decoded.commands)
        self.bytes += len(message.body)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return self.commands >= MAX_WINDOW_COMMANDS or self.bytes >= MAX_WINDOW_BYTES

    def parcels(self, limit_ms: int, without: Collection[str] = ()) -> list[Parcel]:
        """What is to be sent, in few messages.

        Args:
            limit_ms: a version later than that is parked, and supersedes nothing.
            without: versions to leave out.
        """
        by_principal: dict[Principal, list[_Logged]] = {}
        for message in self.messages:
            by_principal.setdefault(message.principal, []).append(message)
        return [
            parcel
            for principal, messages in by_principal.items()
            for parcel in _parcels(principal, messages, limit_ms, without)
        ]


def _parcels(
    principal: Principal, messages: Sequence[_Logged], limit_ms: int, without: Collection[str]
) -> list[Parcel]:
    """Large messages of which nothing is left out go as they came; what is left of others is packed anew."""
    newest = _newest([command for message in messages for command in message.commands], limit_ms)
    whole: list[Parcel] = []
    rest: list[AnyCommand] = []
    for message in messages:
        left = [one for one in message.commands if one.id not in without]
        kept = [one for one in left if _may_leave_something(one, newest)]
        nothing_left_out = message.is_clean and len(kept) == len(message.commands)
        if (nothing_left_out and len(kept) >= LARGE) or not _can_be_packed(kept):
            # Without poison: in canonical form a command can be larger than a message, and then only its own
            # one can say it.
            whole += [message.as_it_came()] if len(left) == len(message.commands) else []
        else:
            rest += kept
    return [*whole, *packed(principal, rest)]


def _can_be_packed(commands: Sequence[AnyCommand]) -> bool:
    try:
        for command in commands:
            encode_command(command)
    except InvalidInput:
        return False
    return True


def _newest(commands: Sequence[AnyCommand], limit_ms: int) -> dict[Address, str]:
    newest: dict[Address, str] = {}
    for command in commands:
        if _is_about_one_address(command) and version_milliseconds(command.id) <= limit_ms:
            newest[command.address] = max(command.id, newest.get(command.address, ""))
    return newest


def _may_leave_something(command: AnyCommand, newest: Mapping[Address, str]) -> bool:
    """Whether no newer command is about its address. Deletes of scopes always leave something."""
    return not _is_about_one_address(command) or command.id >= newest.get(command.address, "")


def _is_about_one_address(command: AnyCommand) -> TypeGuard[AddressCommand]:
    return isinstance(command, AddressCommand)
