"""Fingerprints: what sinks compare to find out whether they hold the same.

The *command hash* is BLAKE2b (RFC 7693), 128 bits, over everything that a command says. Equal versions
with different hashes (two contents under one id) resolve to the higher hash, everywhere. The *digest*
of a set of version rows and scope marks is their count and the sum of the first 40 bits of their
hashes: additive, so it is kept in O(1) a change, in any order.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.command import (
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.entry import Entry
from memlane.contracts.instants import to_microseconds

BUCKETS: Final = 4096
"""Into how many parts a sink's rows are digested: a few thousand numbers for sinks of any size."""

_HASH_BYTES: Final = 16
_WEIGHT_DIGITS: Final = 10
_BUCKET_DIGITS: Final = 3
_FIELD: Final = "\x1f"
_ITEM: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class Digest:
    """A count of rows and marks, and the sum of their 40-bit weights.

    The sum of 8 million rows still fits into the signed 64 bits in which SQLite and Redis add it.
    """

    count: int = 0
    sum: int = 0

    def plus(self, other: "Digest") -> "Digest":
        """Of both sets together."""
        return Digest(self.count + other.count, self.sum + other.sum)

    def minus(self, other: "Digest") -> "Digest":
        """Of this set without the other, which must be a part of it."""
        return Digest(self.count - other.count, self.sum - other.sum)


def store_hash(
    *,
    version: str,
    address: Address,
    value_json: str,
    metadata_json: str,
    tags: tuple[str, ...],
    importance: int,
    session_id: str | None,
    project_id: str | None,
    created_us: int,
    expires_us: int | None,
) -> str:
    """The command hash of a store, 32 hexadecimal digits, from what a version row keeps of it.

    Identifiers hold no control characters and canonical JSON escapes them, so the separators can't be
    forged. Optional identifiers are not empty, so an absent one is.
    """
    text = _FIELD.join(
        (
            "store", version, *address, value_json, metadata_json, _ITEM.join(tags), str(importance),
            session_id or "", project_id or "", str(created_us),
            "" if expires_us is None else str(expires_us),
        )
    )  # fmt: skip
    return blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()


def command_hash(command: AnyCommand) -> str:
    """The hash of everything that a command says, 32 hexadecimal digits; what has expired keeps its own."""
    if isinstance(command, ExpiredStore):
        return command.hash
    if isinstance(command, StoreCommand):
        return store_hash(
            version=command.id,
            address=command.address,
            value_json=command.value_json,
            metadata_json=command.metadata_json,
            tags=command.tags,
            importance=command.importance,
            session_id=command.session_id,
            project_id=command.project_id,
            created_us=command.created_us,
            expires_us=command.expires_us,
        )
    scope = [command.namespace] if isinstance(command, DeleteAddress | DeleteNamespace) else []
    key = [command.key] if isinstance(command, DeleteAddress) else []
    text = _FIELD.join(("delete", command.scope, command.id, command.user_id, *scope, *key))
    return blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()


def entry_hash(entry: Entry) -> str:
    """The command hash of the store that an entry comes from."""
    return store_hash(
        version=entry.version,
        address=entry.address,
        value_json=entry.value_json,
        metadata_json=entry.metadata_json,
        tags=entry.tags,
        importance=entry.importance,
        session_id=entry.session_id,
        project_id=entry.project_id,
        created_us=to_microseconds(entry.created_at),
        expires_us=None if entry.expires_at is None else to_microseconds(entry.expires_at),
    )


def weight(hash_: str) -> int:
    """What a row or mark with this command hash adds to a digest's sum: 0 to 2^40 - 1."""
    return int(hash_[:_WEIGHT_DIGITS], 16)


def digest_of(hashes: Iterable[str]) -> Digest:
    """The digest of rows and marks with these command hashes."""
    weights = [weight(hash_) for hash_ in hashes]
    return Digest(len(weights), sum(weights))


def address_hash(user_id: str, namespace: str = "", key: str = "") -> str:
    """A hash of an address or of a mark's scope, 32 hexadecimal digits; the parts can't run together."""
    text = f"{user_id}{_FIELD}{namespace}{_FIELD}{key}"
    return blake2b(text.encode(), digest_size=_HASH_BYTES).hexdigest()


def bucket_of(address_hash_: str) -> int:
    """The bucket of a row or mark, 0 to 4095, from the hash of its address or scope.

    It depends on user *and* address: one big user is many buckets.
    """
    return int(address_hash_[:_BUCKET_DIGITS], 16)
