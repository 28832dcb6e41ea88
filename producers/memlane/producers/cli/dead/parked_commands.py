"""What is in the body of a parked message, however bad it is."""

from collections.abc import Iterator
from dataclasses import dataclass

from memlane.contracts.address import Address
from memlane.contracts.canonical import Flaw, Json
from memlane.contracts.codec import DecodedMessage, decode_message, encode_message
from memlane.contracts.command import (
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.errors import InvalidInput

_MOST_CHARACTERS = 300
"""Of what a bad command claims."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedCommand:
    """A command of a parked message. What could not be read of it is empty.

    Attributes:
        version: its id.
        what: `store`, `delete address`, … or `unreadable`.
        where: the address or scope.
        value: what it would have stored, as JSON; only for `--show-values`.
    """

    version: str
    what: str
    where: str
    value: str = ""


def commands_of(body: bytes) -> tuple[ParkedCommand, ...]:
    """What the commands of a message would do, those that break a rule included. Never raises."""
    return read_commands(body)[0]


def read_commands(body: bytes) -> tuple[tuple[ParkedCommand, ...], bytes]:
    """What can be said of each command, and what tells this content from every other.

    The same commands are the same content, however their JSON is written.
    """
    try:
        message = decode_message(body)
    # Whatever it is: what nobody can read must be shown and dropped all the same.
    except Exception:  # noqa: BLE001
        text = body.decode("utf-8", "replace")
        return (ParkedCommand(version="", what="unreadable", where="", value=text),), body
    return tuple(_told(message)), _content(message, body)


def _told(message: DecodedMessage) -> Iterator[ParkedCommand]:
    for command in message.commands:
        yield _readable(command)
    for bad in message.bad:
        yield _unreadable(bad.raw)


def _content(message: DecodedMessage, body: bytes) -> bytes:
    if message.bad:
        return body
    try:
        return encode_message(message.commands)
    except InvalidInput:  # in canonical form it takes more room than when it came
        return body


def _readable(command: AnyCommand) -> ParkedCommand:
    if isinstance(command, StoreCommand):
        return ParkedCommand(
            version=command.id, what="store", where=str(command.address), value=command.value_json
        )
    if isinstance(command, ExpiredStore):
        return ParkedCommand(version=command.id, what="expired", where=str(command.address))
    return ParkedCommand(version=command.id, what=f"delete {command.scope}", where=_scope(command))


def _scope(command: DeleteAddress | DeleteNamespace | DeleteUser) -> str:
    if isinstance(command, DeleteAddress):
        return str(command.address)
    below = f":{command.namespace}/" if isinstance(command, DeleteNamespace) else ""
    return f"{command.user_id}{below}"


def _unreadable(raw: Json) -> ParkedCommand:
    """What can be said of a command that breaks a rule."""
    if not isinstance(raw, dict):
        return ParkedCommand(version="", what="unreadable", where="")
    user, namespace, key = (_claimed(raw, name) for name in ("user_id", "namespace", "key"))
    value = raw.get("value")
    return ParkedCommand(
        version=_claimed(raw, "id"),
        what=f"bad {_claimed(raw, 'type') or 'command'}",
        where=str(Address(user, namespace or "default", key)) if user else "",
        value="" if value is None or isinstance(value, Flaw) else repr(value),
    )


def _claimed(raw: dict[str, Json], name: str) -> str:
    found = raw.get(name)
    return found[:_MOST_CHARACTERS] if isinstance(found, str) else ""
