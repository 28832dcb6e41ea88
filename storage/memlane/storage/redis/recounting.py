"""Setting digests and counts right, against the rows and marks themselves."""

from typing import Final

from memlane.contracts.fingerprint import weight
from memlane.storage.outcome import Recount
from memlane.storage.redis.client import Client
from memlane.storage.redis.demoting import demote_damaged
from memlane.storage.redis.preparing import SCHEMA, new_incarnation
from memlane.storage.redis.scripts import CLEAN, RECOUNT, SETTLE, TALLY
from memlane.storage.rows import Kind

_STEP_MEMBERS: Final = 1000
_ATTEMPTS: Final = 5
_FIELDS: Final = 7
_COUNTERS: Final = {
    str(int(kind)): at
    for at, kind in enumerate((Kind.LIVE, Kind.DELETED, Kind.EXPIRED, Kind.REFUSED), start=2)
} | {"mark": 6}
"""Where a kind is counted in the fields count, sum, live, deleted, expired, refused, marks."""


async def recount_bucket(client: Client, bucket: int) -> Recount:
    """Demotes damaged rows; sets a bucket's digest right, in one step; where it was wrong, its users' too.

    Their indexes are cleaned then: a row that somebody removed has left its members there.
    """
    damaged, changed = await demote_damaged(client, bucket)
    corrected, users = await client.run(RECOUNT, SCHEMA, new_incarnation(), f"{bucket:03x}")
    for user in users:
        await _recount_user(client, user)
        for index in ("recent", "terms"):
            await _clean(client, user, index)
    return Recount(bool(corrected), damaged, changed)


async def _clean(client: Client, user: str, index: str) -> None:
    position = await client.run(CLEAN, user, index, "", _STEP_MEMBERS)
    while position:
        position = await client.run(CLEAN, user, index, position, _STEP_MEMBERS)


async def _recount_user(client: Client, user: str) -> None:
    # A user may have very many rows. They are added up in steps, and the result is taken only if nothing
    # has changed meanwhile. A user who is written to all the time is left as it is.
    for _ in range(_ATTEMPTS):
        kept, right, stale = await _tally(client, user)
        if kept == right and not stale:
            return
        wrong = [now - then for now, then in zip(right, kept, strict=True)]
        if await client.run(SETTLE, user, *kept, *right, *wrong, *stale):
            return


async def _tally(client: Client, user: str) -> tuple[list[int], list[int], list[str]]:
    """A user's counts as they were kept at the beginning, as they should be, and members without a row."""
    first: list[int] = []
    right = [0] * _FIELDS
    stale: list[str] = []
    position = ""
    while True:
        kept, position, found, without_row = await client.run(TALLY, user, position, _STEP_MEMBERS)
        first = first or [int(number or 0) for number in kept]
        stale += without_row
        for hash_, kind in zip(found[::2], found[1::2], strict=True):
            right[0] += 1
            right[1] += weight(hash_)
            right[_COUNTERS[kind]] += 1
        if not position:
            return first, right, stale
