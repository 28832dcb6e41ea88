"""How commands travel: one JSON envelope of 1 to 500 commands, at most 1 MiB.

Reading is forgiving by command: a message whose envelope can be read yields its good commands and,
apart from them, the bad ones with the reason. Writing is by hand, because the value is already text.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from json.encoder import encode_basestring
from typing import Final

from pydantic import TypeAdapter

from memlane.contracts.canonical import Flaw, Json, parse
from memlane.contracts.command import (
    COMMAND,
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.fields import EMPTY_OBJECT
from memlane.contracts.instants import to_text
from memlane.contracts.limits import (
    DEFAULT_IMPORTANCE,
    DEFAULT_NAMESPACE,
    MAX_COMMANDS,
    MAX_MESSAGE_BYTES,
    SCHEMA,
)
from memlane.contracts.validation import validate

_HEAD: Final = b'{"schema":1,"commands":['
_TAIL: Final = b"]}"
_ID: Final = b'"id":"'
_VERSION_LENGTH: Final = 36
MAX_COMMAND_BYTES: Final = MAX_MESSAGE_BYTES - len(_HEAD) - len(_TAIL)
"""Of one encoded command, so that it fits into a message by itself."""


@dataclass(frozen=True, slots=True)
class BadCommand:
    """A command of a readable envelope that can't be taken."""

    index: int
    raw: Json
    error: InvalidInput


@dataclass(frozen=True, slots=True)
class DecodedMessage:
    """What a message says: its good commands in order, and its bad ones."""

    commands: list[AnyCommand]
    bad: list[BadCommand]


def encode_command(command: AnyCommand) -> bytes:
    """One command as it stands in an envelope. Fields that have their default are left out.

    Raises:
        InvalidInput: it is larger than a message may be.
    """
    text = _encode(command).encode()
    if len(text) > MAX_COMMAND_BYTES:
        raise InvalidInput(
            "value" if isinstance(command, StoreCommand) else "command",
            f"the command takes {len(text):,} bytes, a message at most {MAX_MESSAGE_BYTES:,}",
            hint="store a smaller value, or several under keys of their own",
        )
    return text


def version_of(encoded: bytes) -> str:
    """The version of a command that `encode_command` made."""
    start = encoded.index(_ID) + len(_ID)
    return encoded[start : start + _VERSION_LENGTH].decode("ascii")


def encode_envelope(commands: Sequence[bytes]) -> bytes:
    """The body of a message with these encoded commands, which `encode_command` made."""
    return _HEAD + b",".join(commands) + _TAIL


def encode_message(commands: Sequence[AnyCommand]) -> bytes:
    """The body of a message with these commands.

    Raises:
        InvalidInput: more than 500 commands or 1 MiB.
    """
    _check_count(len(commands))
    body = encode_envelope([encode_command(command) for command in commands])
    check_size(len(body))
    return body


def decode_message(body: bytes) -> DecodedMessage:
    """The commands of a message.

    Raises:
        MalformedMessage: the envelope can't be read; the message must be parked whole.
    """
    check_size(len(body))
    raw_commands = read_envelope(parse(body), "commands", MAX_COMMANDS)
    validate_one = partial(COMMAND.validator.validate_python, by_alias=True, by_name=False)
    commands: list[AnyCommand] = []
    bad: list[BadCommand] = []
    for index, raw in enumerate(raw_commands):
        try:
            commands.append(validate_one(raw))
        except ValueError:
            bad.append(BadCommand(index, raw, _reason(COMMAND, raw, f"commands.{index}")))
    return DecodedMessage(commands, bad)


def check_schema(tree: Json, items: str) -> dict[str, Json]:
    """The envelope of a message, as far as it is one of this schema.

    Args:
        tree: a parsed body.
        items: the name of the envelope's list, for the hint.

    Raises:
        MalformedMessage: it is no object, or of another schema.
    """
    if isinstance(tree, Flaw):
        raise MalformedMessage("body", tree.problem)
    if not isinstance(tree, dict):
        raise MalformedMessage("body", "must be a JSON object", hint=f'send {{"schema":1,"{items}":[...]}}')
    schema = tree.get("schema")
    if isinstance(schema, Flaw):
        raise MalformedMessage("schema", schema.problem)
    if schema != SCHEMA or type(schema) is not int:
        raise MalformedMessage(
            "schema", f"unknown schema {str(schema)[:40]!r}", hint=f"this is schema {SCHEMA}"
        )
    return tree


def check_size(size: int) -> None:
    """Checks the size of a body, in bytes.

    Raises:
        MalformedMessage: it is over 1 MiB.
    """
    if size > MAX_MESSAGE_BYTES:
        raise MalformedMessage(
            "body", f"{size:,} bytes, at most {MAX_MESSAGE_BYTES:,} are allowed", hint="send several messages"
        )


def read_envelope(tree: Json, items: str, most: int) -> list[Json]:
    """The list of an envelope `{"schema": 1, items: [...]}` that has no other field.

    Raises:
        MalformedMessage: not such an envelope, or not 1 to `most` items.
    """
    tree = check_schema(tree, items)
    if unknown := sorted(tree.keys() - {"schema", items}):
        raise MalformedMessage(unknown[0][:60], "unknown field in the envelope", hint="remove it")
    found = tree.get(items)
    if isinstance(found, Flaw):
        raise MalformedMessage(items, found.problem)
    if not isinstance(found, list):
        raise MalformedMessage(items, "must be a list", hint=f"1 to {most} of them")
    _check_count(len(found), items, most)
    return found


def _reason(adapter: TypeAdapter[AnyCommand], raw: Json, field: str) -> InvalidInput:
    if isinstance(raw, Flaw):
        return InvalidInput(field, raw.problem)
    try:
        validate(adapter, raw, field, by_name=False)
    except InvalidInput as error:
        return error
    return InvalidInput(field, "can't be read")


def _check_count(count: int, field: str = "commands", most: int = MAX_COMMANDS) -> None:
    if not 1 <= count <= most:
        raise MalformedMessage(
            field, f"{count} of them, 1 to {most} are allowed", hint="send several messages"
        )


def _encode(command: AnyCommand) -> str:
    if isinstance(command, StoreCommand):
        return _encode_store(command)
    return _encode_expired(command) if isinstance(command, ExpiredStore) else _encode_delete(command)


def _encode_expired(command: ExpiredStore) -> str:
    user, namespace, key = map(encode_basestring, command.address)
    return (
        f'{{"type":"expired","id":"{command.id}","user_id":{user},"namespace":{namespace},"key":{key},'
        f'"hash":"{command.hash}"}}'
    )


def _encode_store(command: StoreCommand) -> str:
    quote = encode_basestring
    text = f'{{"type":"store","id":"{command.id}","user_id":{quote(command.user_id)}'
    if command.namespace != DEFAULT_NAMESPACE:
        text += f',"namespace":{quote(command.namespace)}'
    text += f',"key":{quote(command.key)},"value":{command.value_json}'
    if command.tags:
        text += f',"tags":[{",".join(map(quote, command.tags))}]'
    if command.importance != DEFAULT_IMPORTANCE:
        text += f',"importance":{command.importance}'
    if command.session_id is not None:
        text += f',"session_id":{quote(command.session_id)}'
    if command.project_id is not None:
        text += f',"project_id":{quote(command.project_id)}'
    if command.metadata_json != EMPTY_OBJECT:
        text += f',"metadata":{command.metadata_json}'
    if command.created_at is not None:
        text += f',"created_at":"{to_text(command.created_at)}"'
    if command.expires_at is not None:
        text += f',"expires_at":"{to_text(command.expires_at)}"'
    return text + "}"


def _encode_delete(command: AnyCommand) -> str:
    fields = command.model_dump()
    scope = fields["scope"]
    user = encode_basestring(command.user_id)
    text = f'{{"type":"delete","id":"{command.id}","scope":"{scope}","user_id":{user}'
    if isinstance(command, DeleteAddress | DeleteNamespace):
        text += f',"namespace":{encode_basestring(command.namespace)}'
    if isinstance(command, DeleteAddress):
        text += f',"key":{encode_basestring(command.key)}'
    return text + "}"
