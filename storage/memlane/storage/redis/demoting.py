"""Demoting damaged rows: see `memlane.storage.damage`.

What a content gives is worked out here, so a row may have changed before it is demoted: then it is left.
"""

from typing import Final

from memlane.storage.damage import NO_HASH, counted, demoted, is_damaged_row
from memlane.storage.redis.client import Client
from memlane.storage.redis.preparing import SCHEMA, new_incarnation
from memlane.storage.redis.scripts import DEMOTE
from memlane.storage.redis.tracing import Look, look_at_bucket
from memlane.storage.rows import Head, Kind

_ATTEMPTS: Final = 3


async def demote_damaged(client: Client, bucket: int) -> tuple[int, int]:
    """Demotes the damaged rows of a bucket, each in one step with its digests and counts.

    Returns:
        How many are damaged, and how many of them were demoted now.
    """
    damaged = [look for look in await look_at_bucket(client, bucket) if is_damaged_row(look.trace)]
    new = [look for look in damaged if look.trace.hash != NO_HASH]
    return len(damaged), sum([await _demote(client, look) for look in new])


async def _demote(client: Client, look: Look) -> bool:
    _, version, hash_, kind, _ = look.trace
    head, cover = Head(version, hash_, kind or Kind.LIVE), None
    for _ in range(_ATTEMPTS):
        new = demoted(head, cover=cover, readable=look.readable)
        if new is None:
            return False
        as_it_is = (look.u, look.a, look.seal, counted(head).hash)
        reply = await client.run(
            DEMOTE, SCHEMA, new_incarnation(), *as_it_is, new.version, new.hash, int(new.kind)
        )
        if reply in {"demoted", "left"}:
            return bool(reply == "demoted")
        cover = reply
    return False
