"""How a row's content and instants are written in Redis, and read back."""

import json
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry, entry_from_row
from memlane.contracts.fingerprint import address_hash, entry_hash
from memlane.contracts.instants import to_microseconds

SEP: Final = "\x1f"
"""Between the parts of an index member: below every character of an identifier."""

_YEAR_ONE_US: Final = 62_135_596_800_000_000
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@lru_cache(maxsize=4096)
def user_hash(user_id: str) -> str:
    """What stands for a user in the names of keys."""
    return address_hash(user_id)


def sortable_us(microseconds: int) -> str:
    """Microseconds since 1970 as 18 digits that sort, from the year 1 to 9999."""
    return f"{max(0, microseconds + _YEAR_ONE_US):018d}"


def sortable(instant: datetime) -> str:
    """An instant as 18 digits that sort."""
    return sortable_us(to_microseconds(instant))


def encode_about(command: StoreCommand) -> str:
    """All of a live row's content but its value."""
    return _encode(
        [
            command.metadata_json,
            command.tags,
            command.importance,
            command.session_id,
            command.project_id,
            command.created_us,
            command.expires_us,
        ]
    )


def decode_entry(line: str) -> Entry:
    """An entry from user, namespace, key, version, `about` and value, as a script puts them together."""
    user_id, namespace, key, version, about, value_json = line.split(SEP, 5)
    return entry_from_row(
        Address(user_id, namespace, key), version=version, value_json=value_json, **_decode_about(about)
    )


def entry_of(address: Address, version: str, value_json: str, about: str) -> Entry | None:
    """The entry of a live row's content; None where it can't be read."""
    try:
        return entry_from_row(address, version=version, value_json=value_json, **_decode_about(about))
    except (OverflowError, TypeError, ValueError):
        return None


def content_hash(entry: Entry | None) -> str | None:
    """The command hash that a live row's content gives; None where it gives none."""
    try:
        return None if entry is None else entry_hash(entry)
    except TypeError:
        return None


def _decode_about(about: str) -> dict[str, Any]:
    # Any: one value for each keyword of `entry_from_row`.
    metadata_json, tags, importance, session_id, project_id, created_us, expires_us = json.loads(about)
    return {
        "metadata_json": metadata_json,
        "tags": tuple(tags),
        "importance": importance,
        "session_id": session_id,
        "project_id": project_id,
        "created_us": created_us,
        "expires_us": expires_us,
    }
