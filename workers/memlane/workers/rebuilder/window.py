"""A stretch of the command log, as few messages: what is superseded within it is left out.

By address the highest version wins, so an older one leaves nothing behind in a sink. Only the same
principal's commands supersede each other here: what somebody else has no right to say supersedes nothing.
"""

from collections.abc import Collection, Sequence
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


@dataclass(slots=True)
class Window:
    """Messages of the log, until there are enough of them.

    Args:
        workers: the accounts whose word on a message's principal is believed.
    """

    workers: frozenset[str]
    commands: list[tuple[Principal, AnyCommand]] = field(default_factory=list)
    whole: list[Parcel] = field(default_factory=list)
    bytes: int = 0

    def add(self, message: StreamMessage) -> None:
        """Takes a message. What a lane can't take of it was parked when it came."""
        try:
            decoded = decode_message(message.body)
        except MalformedMessage:
            return
        principal = principal_of(message.user_id, message.headers, self.workers)
        self.bytes += len(message.body)
        try:
            for command in decoded.commands:
                encode_command(command)
        except InvalidInput:
            # In canonical form a command can be larger than a message: then only its own one can say it.
            versions = frozenset(command.id for command in decoded.commands)
            self.whole.append(Parcel(principal, message.body, versions))
            return
        self.commands += ((principal, command) for command in decoded.commands)

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return len(self.commands) >= MAX_WINDOW_COMMANDS or self.bytes >= MAX_WINDOW_BYTES

    def parcels(self, limit_ms: int, without: Collection[str] = ()) -> list[Parcel]:
        """What is to be sent, in few messages.

        Args:
            limit_ms: a version later than that is parked, and supersedes nothing.
            without: versions to leave out.
        """
        by_principal: dict[Principal, list[AnyCommand]] = {}
        for principal, command in self.commands:
            if command.id not in without:
                by_principal.setdefault(principal, []).append(command)
        return [
            *(parcel for parcel in self.whole if not parcel.versions & frozenset(without)),
            *(
                parcel
                for principal, commands in by_principal.items()
                for parcel in packed(principal, without_superseded(commands, limit_ms))
            ),
        ]


def without_superseded(commands: Sequence[AnyCommand], limit_ms: int) -> list[AnyCommand]:
    """The commands that may leave something behind, in their order. Deletes of scopes always do."""
    newest: dict[Address, str] = {}
    for command in commands:
        if _is_about_one_address(command) and version_milliseconds(command.id) <= limit_ms:
            newest[command.address] = max(command.id, newest.get(command.address, ""))
    return [
        command
        for command in commands
        if not _is_about_one_address(command) or command.id >= newest.get(command.address, "")
    ]


def _is_about_one_address(command: AnyCommand) -> TypeGuard[AddressCommand]:
    return isinstance(command, AddressCommand)
