"""One parked message: why it is there, and what it would have done."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from aio_pika.abc import HeadersType
from aiormq.abc import DeliveredMessage

from memlane.contracts import headers
from memlane.contracts.instants import to_text
from memlane.producers.cli.dead.parked_commands import ParkedCommand, read_commands

_DIGEST_BYTES = 16
_NAME_DIGITS = 16


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
        identity: equal for copies: the same commands with the same versions and contents.
        key: tells a copy from the next, as far as that is possible: each publish has its own message id.
        by_broker: the broker itself parked it: it was delivered too often, and is as its producer sent it.
    """

    parked: str
    error: str
    text: str
    attempt: int
    lane: str
    size: int
    commands: tuple[ParkedCommand, ...]
    identity: bytes
    key: bytes
    by_broker: bool
    copies: int = 1

    @property
    def name(self) -> str:
        """What the message itself is called, whatever is in it; the same for copies."""
        return f"message-{self.identity.hex()[:_NAME_DIGITS]}"

    def called(self, command: ParkedCommand) -> str:
        """By what an operator names one of its commands: the version, else the whole message."""
        return command.version or self.name


def read_letter(message: DeliveredMessage, sink: str) -> Letter:
    """What a message from a sink's dead-letter queue says. Never raises, whatever is in it."""
    properties = message.header.properties
    found = properties.headers or {}
    attempt = found.get(headers.ATTEMPT)
    by_broker = _told_by_broker(found)
    commands, content = read_commands(message.body)
    identity = blake2b(content, digest_size=_DIGEST_BYTES).digest()
    told = f"{properties.message_id or ''}".encode("utf-8", "replace")
    return Letter(
        parked=text_of(found, headers.FIRST_SEEN) or by_broker[0],
        # What the broker parked is as its producer sent it: a class of error in there is not a lane's.
        error=("" if "x-death" in found else text_of(found, headers.ERROR_CLASS)) or by_broker[1],
        text=text_of(found, headers.ERROR_TEXT),
        attempt=attempt if isinstance(attempt, int) else 0,
        lane=text_of(found, headers.ORIGIN_LANE) or sink,
        size=len(message.body),
        commands=commands,
        identity=identity,
        key=blake2b(identity + told, digest_size=_DIGEST_BYTES).digest(),
        by_broker="x-death" in found,
    )


def without_copies(letters: Iterable[Letter]) -> list[Letter]:
    """Each message once, in the order of the queue, with the number of its copies."""
    found: dict[bytes, Letter] = {}
    for letter in letters:
        present = found.get(letter.identity)
        found[letter.identity] = letter if present is None else replace(present, copies=present.copies + 1)
    return list(found.values())


# Any: what JSON can say.
def record_of(letter: Letter, *, values: bool) -> dict[str, Any]:
    """For JSON Lines."""
    return {
        "message": letter.name,
        "parked": letter.parked or None,
        "error": letter.error,
        "text": letter.text,
        "attempt": letter.attempt or None,
        "lane": letter.lane,
        "copies": letter.copies,
        "bytes": letter.size,
        "commands": [_command_record(command, values=values) for command in letter.commands],
    }


def text_of(found: HeadersType, name: str) -> str:
    """A header that is a text; empty where it is not."""
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _command_record(command: ParkedCommand, *, values: bool) -> Mapping[str, str | None]:
    fields: dict[str, str | None] = {
        "id": command.version or None,
        "what": command.what,
        "where": command.where or None,
    }
    return {**fields, "value": command.value or None} if values else fields


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
