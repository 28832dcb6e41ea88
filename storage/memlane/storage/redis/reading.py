"""Answers about addresses and counts: fetch, stats, digests."""

import json
from collections.abc import Sequence
from typing import Final

from redis.exceptions import ResponseError

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import BUCKETS, Digest, address_hash
from memlane.contracts.reply import DigestModel, Fetched, SinkStats
from memlane.storage.redis.client import Client
from memlane.storage.redis.rows import SEP, decode_entry, user_hash
from memlane.storage.redis.scripts import DIGESTS, FETCH, STATS
from memlane.storage.rows import Kind

_UNKNOWN: Final = Fetched(state="unknown")
_LIVE: Final = str(int(Kind.LIVE))
_REFUSED: Final = str(int(Kind.REFUSED))


async def fetch(client: Client, addresses: Sequence[Address], as_of: str) -> list[Fetched]:
    """What is at these addresses, in their order, in one snapshot."""
    places = [(user_hash(a.user_id), address_hash(*a), a.namespace) for a in addresses]
    found = await client.run(FETCH, json.dumps(places, ensure_ascii=False))
    return [_fetched(address, row, as_of) for address, row in zip(addresses, found, strict=True)]


async def read_stats(client: Client, user_id: str | None) -> SinkStats:
    """What is held of a user, or in all, in one snapshot. `bytes` is what the whole server takes."""
    found = await client.run(STATS, "" if user_id is None else user_hash(user_id))
    (incarnation, changes), counts, digest = found
    if user_id is None:
        total, used = _total(digest), await _used_bytes(client)
    else:
        total, used = Digest(*(int(number or 0) for number in digest)), None
    live, deleted, expired, refused, marks = (int(number or 0) for number in counts)
    return SinkStats(
        live=live,
        deleted=deleted,
        expired=expired,
        refused=refused,
        marks=marks,
        digest=DigestModel(count=total.count, sum=total.sum),
        incarnation=incarnation or "",
        changes=int(changes or 0),
        durable=False,
        bytes=used,
    )


async def bucket_digests(client: Client) -> list[Digest]:
    """The digests of all buckets, by number; one command, so one snapshot."""
    kept = _numbers(await client.run(DIGESTS))
    names = (f"{bucket:03x}" for bucket in range(BUCKETS))
    return [Digest(kept.get(f"{name}:count", 0), kept.get(f"{name}:sum", 0)) for name in names]


def _fetched(address: Address, line: str, as_of: str) -> Fetched:
    mark, version, kind, expires, user_id, namespace, key, content = line.split(SEP, 7)
    if (user_id, namespace, key) != address:  # no row, or not the one that was asked for
        version = ""
    if mark and version <= mark:
        return Fetched(state="gone", version=mark)
    if not version:
        return _UNKNOWN
    if kind == _REFUSED:
        return Fetched(state="unknown", version=version)
    if kind != _LIVE or (expires and expires <= as_of):
        return Fetched(state="gone", version=version)
    entry = decode_entry(SEP.join((*address, version, content)))
    return Fetched(state="entry", version=version, entry=entry)


def _numbers(text: str) -> dict[str, int]:
    """Of names and numbers by turns."""
    words = text.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


def _total(buckets: str) -> Digest:
    # Added here, where integers do not end: Redis' are of 64 bits.
    numbers = _numbers(buckets)
    count = sum(number for field, number in numbers.items() if field.endswith(":count"))
    return Digest(count, sum(numbers.values()) - count)


async def _used_bytes(client: Client) -> int | None:
    try:
        return int((await client.information("memory"))["used_memory"])
    except (ResponseError, KeyError):  # some hosted servers do not say
        return None
