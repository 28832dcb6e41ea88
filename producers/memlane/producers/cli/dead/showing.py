"""How parked messages look: a line each in a list, one in full."""

import json
from typing import Any

from aiormq.abc import DeliveredMessage

from memlane.contracts import headers
from memlane.contracts.canonical import parse
from memlane.contracts.codec import decode_message, encode_command
from memlane.contracts.errors import InvalidInput
from memlane.contracts.headers import ON_BEHALF_OF
from memlane.producers.cli.dead.letters import Letter, record_of
from memlane.producers.cli.dead.parked_commands import ParkedCommand
from memlane.producers.cli.formatting import shortened, to_json
from memlane.producers.cli.output import on_terminal

COLUMNS = ("parked", "error", "tries", "copies", "command", "version", "reason")


def row_of(letter: Letter, command: ParkedCommand, *, values: bool) -> tuple[str, ...]:
    """A line of a list; the last cell is the value, where that is wanted."""
    cut = shortened if on_terminal() else str
    row = (
        letter.parked,
        letter.error,
        str(letter.attempt or ""),
        str(letter.copies),
        f"{command.what} {command.where}".strip(),
        letter.called(command),
        cut(letter.text),
    )
    return (*row, cut(command.value)) if values else row


def rows_in_full(letter: Letter, message: DeliveredMessage) -> list[tuple[str, str]]:
    """Everything about one, by name."""
    properties = message.header.properties
    found = properties.headers or {}
    said = {
        "message": letter.name,
        "error": letter.error,
        "reason": letter.text,
        "first failed": letter.parked,
        "tries": str(letter.attempt or ""),
        "copies": str(letter.copies),
        "lane": letter.lane,
        "principal": str(found.get(headers.PRINCIPAL) or ""),
        "on behalf of": str(found.get(ON_BEHALF_OF) or ""),
        "published by": properties.user_id or "",
        "client": properties.app_id or "",
        "trace": str(found.get(headers.TRACEPARENT) or ""),
        "bytes": f"{letter.size:,}",
    }
    rows = [(name, text) for name, text in said.items() if text]
    for command in letter.commands:
        rows.append(("command", f"{command.what} {command.where}".strip()))
        rows += [("version", command.version)] if command.version else []
    return [*rows, *(("headers", text) for text in [_json(dict(found))] if found), *_bodies(message.body)]


# Any: what JSON can say.
def record_in_full(letter: Letter, message: DeliveredMessage) -> dict[str, Any]:
    """Everything about one, for JSON Lines; a body that is no JSON as text."""
    properties = message.header.properties
    return {
        **record_of(letter, values=False),
        "principal": (properties.headers or {}).get(headers.PRINCIPAL),
        "published_by": properties.user_id,
        "client": properties.app_id,
        "message_id": properties.message_id,
        "headers": json.loads(_json(dict(properties.headers or {}))),
        "body": _body_record(message.body),
    }


def _bodies(body: bytes) -> list[tuple[str, str]]:
    """The commands as they would be applied; what can't be read, as it came."""
    try:
        found = decode_message(body)
        if not found.bad:
            return [("body", encode_command(command).decode()) for command in found.commands]
    except InvalidInput:
        pass
    return [("body", body.decode("utf-8", "replace"))]


# Any: what JSON can say.
def _body_record(body: bytes) -> Any:
    text = body.decode("utf-8", "replace")
    try:
        return json.loads(to_json(parse(body)))
    except (InvalidInput, TypeError, ValueError, RecursionError):
        return text


# Any: headers, which hold what AMQP can hold.
def _json(found: Any) -> str:
    return json.dumps(found, ensure_ascii=False, default=str, separators=(",", ":"))
