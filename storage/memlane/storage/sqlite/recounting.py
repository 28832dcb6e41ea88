"""Setting a bucket right: its damaged rows are demoted, its digest is what its rows and marks add up to."""

from typing import Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import digest_of
from memlane.storage.damage import NO_HASH, counted, demoted, is_damaged_row
from memlane.storage.digesting import Tally
from memlane.storage.outcome import Recount
from memlane.storage.rows import Head, Kind, Trace
from memlane.storage.sqlite.schema import IN_SCOPE
from memlane.storage.sqlite.tables import bucket_digests, save_tally
from memlane.storage.sqlite.tracing import can_be_read, versions

_DEMOTE: Final = """
UPDATE rows SET version = ?, hash = ?, kind = ? WHERE user_id = ? AND namespace = ? AND key = ?
"""
# No question reads it; but it may not be text any longer, and one that reads the row would break off.
_SET_ASIDE: Final = """
UPDATE rows SET value = CAST(value AS BLOB), metadata = CAST(metadata AS BLOB), tags = CAST(tags AS BLOB),
  session_id = CAST(session_id AS BLOB), project_id = CAST(project_id AS BLOB)
WHERE user_id = ? AND namespace = ? AND key = ?
"""
_COVER: Final = f"""
SELECT max(m.version) FROM marks AS m WHERE m.user_id = ?1 AND {IN_SCOPE.format(mark="m", namespace="?2")}
"""
_REBUILD_USERS: Final = """
INSERT INTO users
SELECT user_id, count(*), sum(weight_of(hash)), sum(kind = 1), sum(kind = 2), sum(kind = 3), sum(kind = 4),
  sum(kind = 0)
FROM (SELECT user_id, hash, kind FROM rows UNION ALL SELECT user_id, hash, 0 FROM marks) GROUP BY user_id
"""


async def recount_bucket(connection: aiosqlite.Connection, bucket: int) -> Recount:
    """Demotes damaged rows and corrects the digest, inside the caller's write transaction."""
    traces = await versions(connection, bucket)
    damaged = [one for one in traces if is_damaged_row(one)]
    changed = await _demote(connection, bucket, [one for one in damaged if one.hash != NO_HASH])
    if changed:
        traces = await versions(connection, bucket)
    return Recount(await _correct(connection, bucket, traces), len(damaged), changed)


async def _demote(connection: aiosqlite.Connection, bucket: int, traces: list[Trace]) -> int:
    tally, changed = Tally(), 0
    for place, version, hash_, kind, _ in traces:
        if isinstance(place, Address) and kind is not None:
            old = Head(version, hash_, kind)
            new = await _demoted(connection, place, old)
            if new is not None:
                await connection.execute(_DEMOTE, (*new, *place))
                if new.kind is Kind.REFUSED:
                    await connection.execute(_SET_ASIDE, place)
                tally.row(place.user_id, bucket, counted(old), new)
                changed += 1
    if changed:
        await save_tally(connection, tally)
    return changed


async def _demoted(connection: aiosqlite.Connection, address: Address, head: Head) -> Head | None:
    rows = list(await connection.execute_fetchall(_COVER, (address.user_id, address.namespace)))
    readable = head.kind is Kind.LIVE and await can_be_read(connection, address)
    return demoted(head, cover=rows[0][0], readable=readable)


async def _correct(connection: aiosqlite.Connection, bucket: int, traces: list[Trace]) -> bool:
    """Sets a bucket's digest right; where it was wrong, the users' digests and counts too."""
    true = digest_of(trace.hash for trace in traces)
    kept = (await bucket_digests(connection))[bucket]
    if kept == true:
        return False
    await connection.execute(
        "INSERT OR REPLACE INTO buckets VALUES (?, ?, ?)", (bucket, true.count, true.sum)
    )
    await connection.execute("DELETE FROM users")
    await connection.execute(_REBUILD_USERS)
    return True
