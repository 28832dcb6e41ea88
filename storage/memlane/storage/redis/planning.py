"""A batch as the script `apply` takes it: everything that Lua can't or need not work out."""

import json
from collections.abc import Sequence
from typing import Final, NamedTuple

from memlane.contracts.command import (
    AddressCommand,
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.fingerprint import address_hash, bucket_of, command_hash
from memlane.storage.outcome import APPLIED, BELOW_FLOOR, Outcome
from memlane.storage.redis.client import Reply
from memlane.storage.redis.rows import encode_about, sortable_us, user_hash
from memlane.storage.redis.terms import weighted_terms
from memlane.storage.rows import Kind

_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_REFUSED: Final = Outcome("refused", "refused before")

Line = tuple[str | int, ...]


class Plan(NamedTuple):
    """A batch for `apply.lua`, which says what the parts are.

    Attributes:
        text: JSON of small texts.
        contents: value and further content of the live stores by turns, as they are.
    """

    text: str
    contents: list[str]


def plan_batch(commands: Sequence[AnyCommand], now_us: int, *, repair: bool = False) -> Plan:
    """What a batch asks for."""
    users: dict[str, int] = {}
    contents: list[str] = []
    lines: list[Line] = []
    for command in commands:
        user = users.setdefault(command.user_id, len(users))
        if isinstance(command, StoreCommand):
            lines.append(_store(command, user, now_us, contents))
        elif isinstance(command, DeleteAddress):
            lines.append(_row(Kind.DELETED, command, user))
        elif isinstance(command, ExpiredStore):
            lines.append(_row(Kind.EXPIRED, command, user))
        else:
            lines.append(_mark(command, user))
    named = [(user_hash(user_id), user_id) for user_id in users]
    return Plan(_encode({"users": named, "commands": lines, "repair": repair}), contents)


def read_outcomes(count: int, reply: Reply) -> list[Outcome]:
    """The outcomes of so many commands; the script names those that were not simply applied."""
    outcomes = [APPLIED] * count
    for at in range(1, len(reply), 3):
        index, decision, newer = reply[at : at + 3]
        if decision == "superseded":
            outcomes[index] = Outcome("superseded", newer=newer)
        else:
            outcomes[index] = BELOW_FLOOR if decision == "below floor" else _REFUSED
    return outcomes


def _store(command: StoreCommand, user: int, now_us: int, contents: list[str]) -> Line:
    expires_us = command.expires_us
    if expires_us is None:
        expires = ""
    elif expires_us <= now_us:
        return _row(Kind.EXPIRED, command, user)
    else:
        expires = sortable_us(expires_us)
    contents += (command.value_json, encode_about(command))
    return _row(Kind.LIVE, command, user, expires, weighted_terms(command))


def _row(kind: Kind, command: AddressCommand, user: int, expires: str = "", terms: str = "") -> Line:
    namespace, key = command.namespace, command.key
    address = address_hash(command.user_id, namespace, key)
    return (str(int(kind)), user, address, command.id, command_hash(command), namespace, key, expires, terms)


def _mark(command: AnyCommand, user: int) -> Line:
    namespace = command.namespace if isinstance(command, DeleteNamespace) else ""
    bucket = f"{bucket_of(address_hash(command.user_id, namespace)):03x}"
    return ("mark", user, bucket, command.id, command_hash(command), namespace)
