"""The rows and marks of a bucket, as the reconciler compares them."""

from collections.abc import Collection
from typing import Final, NamedTuple, cast

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import address_hash
from memlane.storage.damage import NO_HASH, is_intact, is_readable, mark_is_intact
from memlane.storage.redis.client import Client, Reply
from memlane.storage.redis.rows import content_hash, entry_of, user_hash
from memlane.storage.redis.scripts import BUCKET, HASHES, PLACES
from memlane.storage.rows import Head, Kind, Mark, Scope, Trace

_STEP_MEMBERS: Final = 500
_STEP_BYTES: Final = 4 * 1024 * 1024
_HASH: Final = 32


class Look(NamedTuple):
    """A row or mark as it was when it was looked at.

    Attributes:
        trace: what it says, and whether that is so.
        a: of a row, the hash of the address under which it is kept; of a mark, nothing that is used.
        u: the hash of its user.
        seal: of a row, of all that was looked at.
        readable: whether a damaged live row's content is an entry.
    """

    trace: Trace
    a: str
    u: str
    seal: str
    readable: bool


async def bucket_hashes(client: Client, bucket: int) -> list[str]:
    """The hash of every row and mark of a bucket, in one step: a 4096th of all."""
    return cast("str", await client.run(HASHES, _name(bucket))).split()


async def bucket_traces(client: Client, bucket: int, hashes: Collection[str] | None = None) -> list[Trace]:
    """The rows and marks of a bucket, all or with one of these hashes, in one step.

    They are not compared with their content.
    """
    if hashes is not None and not hashes:
        return []
    return [_unchecked(row) for row in await client.run(PLACES, _name(bucket), *(hashes or ()))]


async def look_at_bucket(client: Client, bucket: int) -> list[Look]:
    """All rows and marks, with their content, and what it takes to change them if they are still the same."""
    members = await client.set_members(f"bucket:{_name(bucket)}")
    looks: list[Look] = []
    done = 0
    while done < len(members):
        step = members[done : done + _STEP_MEMBERS]
        found = await client.run(BUCKET, _STEP_BYTES, *step)
        looks += [_look(member, row) for member, row in zip(step, found, strict=False) if row]
        done += len(found)
    return looks


def _name(bucket: int) -> str:
    return f"{bucket:03x}"


def _unchecked(row: Reply) -> Trace:
    user_id, version, hash_, kind, namespace = row[:5]
    if kind == "mark":
        return Trace(Scope(user_id, namespace or None), version, hash_, None, intact=True)
    return Trace(Address(user_id, namespace, row[5]), version, hash_, Kind(int(kind)), hash_ != NO_HASH)


def _look(member: str, row: Reply) -> Look:
    if row[3] == "mark":
        scope, mark = Scope(row[0], row[4] or None), Mark(row[1], row[2])
        trace = Trace(scope, *mark, None, mark_is_intact(scope, mark))
        return Look(trace, "", member[1 : 1 + _HASH], "", readable=True)
    return _look_at_row(member[1 : 1 + _HASH], member[1 + _HASH :], row)


def _look_at_row(a: str, u: str, row: Reply) -> Look:
    user_id, version, hash_, kind, namespace, key, value, about, seal = row
    address, head = Address(user_id, namespace, key), Head(version, hash_, Kind(int(kind)))
    is_its_place = (address_hash(*address), user_hash(user_id)) == (a, u)
    entry = entry_of(address, version, value, about) if head.kind is Kind.LIVE else None
    intact = is_its_place and is_intact(address, head, content_hash(entry))
    readable = intact or (is_its_place and entry is not None and is_readable(entry))
    return Look(Trace(address, *head, intact), a, u, seal, readable)
