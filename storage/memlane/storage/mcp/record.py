"""What a server keeps of an entry: the store command as it travels, which holds its version."""

from collections.abc import Iterable

from memlane.contracts.canonical import parse
from memlane.contracts.codec import encode_command
from memlane.contracts.command import COMMAND, StoreCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fingerprint import command_hash


def encode_record(command: StoreCommand) -> str:
    """The text that is kept: one line of JSON."""
    return encode_command(command).decode()


def decode_record(text: str) -> StoreCommand | None:
    """The command that a text keeps; None for whatever else somebody may have put there."""
    try:
        command = COMMAND.validate_python(parse(text), by_alias=True, by_name=False)
    except (InvalidInput, ValueError):
        return None
    return command if isinstance(command, StoreCommand) else None


def newest_record(texts: Iterable[str]) -> StoreCommand | None:
    """The newest of the commands that texts keep: a crash may leave an old one beside it."""
    found = [command for text in texts if (command := decode_record(text)) is not None]
    return max(found, key=lambda command: (command.id, command_hash(command)), default=None)


def same(kept: StoreCommand | None, wanted: StoreCommand | None) -> bool:
    """Whether both say the same, or both are nothing."""
    if kept is None or wanted is None:
        return kept is wanted
    return (kept.id, command_hash(kept)) == (wanted.id, command_hash(wanted))
