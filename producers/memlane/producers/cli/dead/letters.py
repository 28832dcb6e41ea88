"""One parked message: why it is there, and what it would have done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from aio_pika.abc import AbstractIncomingMessage, HeadersType

from memlane.contracts import headers
from memlane.contracts.address import Address
from memlane.contracts.canonical import Flaw, Json
from memlane.contracts.codec import decode_message
from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.instants import to_text


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A parked message.

    Attributes:
        parked: when a lane first failed at it, RFC 3339; empty where it does not say.
        error: the class of the error.
        text: the error's text.
        attempt: how often it was tried; 0 where it does not say.
        lane: the sink whose lane parked it.
        size: of its body, in bytes.
        commands: what is in it.
        copies: how often the same message stands in the queue.
        identity: equal for copies.
    """

    parked: str
    error: str
    text: str
    attempt: int
    lane: str
    size: int
    commands: tuple[ParkedCommand, ...]
    identity: bytes
    copies: int = 1


def read_letter(message: AbstractIncomingMessage, sink: str) -> Letter:
    """What a message from a sink's dead-letter queue says."""
    found = message.headers
    attempt = found.get(headers.ATTEMPT)
    by_broker = _told_by_broker(found)
    return Letter(
        parked=_text(found, headers.FIRST_SEEN) or by_broker[0],
        error=_text(found, headers.ERROR_CLASS) or by_broker[1],
        text=_text(found, headers.ERROR_TEXT),
        attempt=attempt if isinstance(attempt, int) else 0,
        lane=_text(found, headers.ORIGIN_LANE) or sink,
        size=len(message.body),
        commands=tuple(commands_of(message.body)),
        identity=blake2b(message.body, digest_size=16).digest(),
    )


def without_copies(letters: Iterable[Letter]) -> list[Letter]:
    """Each message once, in the order of the queue, with the number of its copies."""
    found: dict[tuple[bytes, str], Letter] = {}
    for letter in letters:
        key = (letter.identity, letter.error)
        present = found.get(key)
        found[key] = letter if present is None else replace(present, copies=present.copies + 1)
    return list(found.values())


# Any: what JSON can say.
def record_of(letter: Letter, *, values: bool) -> dict[str, Any]:
    """For JSON Lines."""
    return {
        "parked": letter.parked or None,
        "error": letter.error,
        "text": letter.text,
        "attempt": letter.attempt or None,
        "lane": letter.lane,
        "copies": letter.copies,
        "bytes": letter.size,
        "commands": [_command_record(command, values=values) for command in letter.commands],
    }


def _command_record(command: ParkedCommand, *, values: bool) -> Mapping[str, str | None]:
    fields: dict[str, str | None] = {
        "id": command.version or None,
        "what": command.what,
        "where": command.where or None,
    }
    return {**fields, "value": command.value or None} if values else fields


def commands_of(body: bytes) -> Iterable[ParkedCommand]:
    """What the commands of a message would do, those that break a rule included."""
    try:
        message = decode_message(body)
    except InvalidInput:
        yield ParkedCommand(version="", what="unreadable", where="", value=body.decode("utf-8", "replace"))
        return
    for command in message.commands:
        yield _readable(command)
    for bad in message.bad:
        yield _unreadable(bad.raw)


def _readable(command: AnyCommand) -> ParkedCommand:
    if isinstance(command, StoreCommand):
        return ParkedCommand(
            version=command.id, what="store", where=str(command.address), value=command.value_json
        )
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
    return found[:300] if isinstance(found, str) else ""


def _text(found: HeadersType, name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _told_by_broker(found: HeadersType) -> tuple[str, str]:
    """When and why the broker itself parked a message: it was delivered too often."""
    deaths = found.get("x-death")
    last = deaths[0] if isinstance(deaths, list) and deaths else None
    if not isinstance(last, dict):
        return "", "unknown"
    time = last.get("time")
    instant = to_text(time if time.tzinfo else time.replace(tzinfo=UTC)) if isinstance(time, datetime) else ""
    reason = last.get("reason")
    return instant, f"broker: {reason}" if isinstance(reason, str) else "broker"
