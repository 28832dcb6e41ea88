"""What is due in the database: expiry, purging under marks, recounting."""

import json
from typing import Any, Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import digest_of, store_hash
from memlane.storage.digesting import Tally
from memlane.storage.outcome import SweepReport
from memlane.storage.rows import Head, Kind, Scope, Trace
from memlane.storage.sqlite.conditions import namespace_range
from memlane.storage.sqlite.tables import add_change, bucket_digests, save_tally

_EXPIRE: Final = """
UPDATE rows SET kind = 3, value = NULL, metadata = NULL, tags = NULL, importance = NULL, session_id = NULL,
  project_id = NULL, created_us = NULL, expires_us = NULL, label = NULL, body = NULL
WHERE id IN (SELECT id FROM rows WHERE kind = 1 AND expires_us <= ? ORDER BY expires_us LIMIT ?)
RETURNING user_id, bucket, version, hash, namespace, key
"""
_PURGING: Final = "SELECT user_id, namespace, version FROM marks WHERE purging = 1"
_COVERED: Final = """
SELECT id, user_id, bucket, version, hash, kind, namespace, key FROM rows
WHERE user_id = ? AND version <= ?"""
_BELOW: Final = " AND (namespace = ? OR namespace >= ? AND namespace < ?)"
_PURGED: Final = "UPDATE marks SET purging = 0 WHERE user_id = ? AND namespace = ?"
_REBUILD_USERS: Final = """
INSERT INTO users
SELECT user_id, count(*), sum(weight_of(hash)), sum(kind = 1), sum(kind = 2), sum(kind = 3), sum(kind = 4),
  sum(kind = 0)
FROM (SELECT user_id, hash, kind FROM rows UNION ALL SELECT user_id, hash, 0 FROM marks) GROUP BY user_id
"""
_BUCKET_ROWS: Final = """
SELECT user_id, namespace, key, version, hash, kind, value, metadata, tags, importance, session_id,
  project_id, created_us, expires_us FROM rows WHERE bucket = ?
"""


async def sweep(
    connection: aiosqlite.Connection, now_us: int, limit: int, recount: int | None
) -> tuple[SweepReport, list[Address]]:
    """Does what is due, inside the caller's write transaction.

    Returns:
        What it did, and the addresses whose content is gone.
    """
    tally = Tally()
    gone = await _expire(connection, now_us, limit, tally)
    expired = len(gone)
    covered, unfinished = await _purge(connection, max(0, limit - expired), tally)
    purged = len(covered)
    await save_tally(connection, tally)
    corrected = recount is not None and await _recount(connection, recount)
    if expired or purged or corrected:
        await add_change(connection)
    more = unfinished or (limit > 0 and expired == limit)
    report = SweepReport(expired=expired, purged=purged, corrected=corrected, more=more)
    return report, gone + covered


async def purge(connection: aiosqlite.Connection, limit: int) -> list[Address]:
    """Removes rows that marks cover, at most so many, inside the caller's write transaction; says which."""
    tally = Tally()
    covered, _ = await _purge(connection, limit, tally)
    await save_tally(connection, tally)
    return covered


async def versions(connection: aiosqlite.Connection, bucket: int) -> list[Trace]:
    """Every row and mark of a bucket, inside the caller's transaction."""
    rows = await connection.execute_fetchall(_BUCKET_ROWS, (bucket,))
    traces = [_row_trace(tuple(row)) for row in rows]
    marks = "SELECT user_id, namespace, version, hash FROM marks WHERE bucket = ?"
    for user_id, namespace, version, hash_ in await connection.execute_fetchall(marks, (bucket,)):
        traces.append(Trace(Scope(user_id, namespace or None), version, hash_, None, intact=True))
    return traces


def _covered(user_id: str, namespace: str, version: str) -> tuple[str, tuple[str, ...]]:
    """The statement that finds the rows under a mark, and its values."""
    if not namespace:
        return _COVERED, (user_id, version)
    return _COVERED + _BELOW, (user_id, version, namespace, *namespace_range(namespace))


async def _purge(connection: aiosqlite.Connection, limit: int, tally: Tally) -> tuple[list[Address], bool]:
    """Removes rows that marks cover.

    Returns:
        Which, and whether some may be left.
    """
    purged: list[Address] = []
    for user_id, namespace, version in await connection.execute_fetchall(_PURGING):
        if len(purged) >= limit:
            return purged, True
        sql, values = _covered(user_id, namespace, version)
        room = limit - len(purged)
        rows = list(await connection.execute_fetchall(f"{sql} LIMIT ?", (*values, room)))
        for _, owner, bucket, row_version, hash_, kind, *_place in rows:
            tally.row(owner, bucket, Head(row_version, hash_, Kind(kind)), None)
        await connection.executemany("DELETE FROM rows WHERE id = ?", [(row[0],) for row in rows])
        purged += [Address(row[1], row[6], row[7]) for row in rows]
        if len(rows) == room:
            return purged, True
        await connection.execute(_PURGED, (user_id, namespace))
    return purged, False


async def _expire(connection: aiosqlite.Connection, now_us: int, limit: int, tally: Tally) -> list[Address]:
    rows = list(await connection.execute_fetchall(_EXPIRE, (now_us, limit)))
    for user_id, bucket, version, hash_, *_ in rows:
        tally.row(user_id, bucket, Head(version, hash_, Kind.LIVE), Head(version, hash_, Kind.EXPIRED))
    return [Address(row[0], row[4], row[5]) for row in rows]


async def _recount(connection: aiosqlite.Connection, bucket: int) -> bool:
    """Sets a bucket's digest right; where it was wrong, the users' digests and counts too."""
    traces = await versions(connection, bucket)
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


def _row_trace(row: tuple[Any, ...]) -> Trace:
    # Any: SQLite's columns, whose types are the schema's.
    address, kind = Address(*row[:3]), Kind(row[5])
    intact = kind is not Kind.LIVE or _is_intact(address, row)
    return Trace(address, row[3], row[4], kind, intact)


def _is_intact(address: Address, row: tuple[Any, ...]) -> bool:
    try:
        return bool(row[4] == _content_hash(address, row))
    except (TypeError, ValueError):
        return False


def _content_hash(address: Address, row: tuple[Any, ...]) -> str:
    return store_hash(
        version=row[3],
        address=address,
        value_json=row[6],
        metadata_json=row[7],
        tags=tuple(json.loads(row[8])),
        importance=row[9],
        session_id=row[10],
        project_id=row[11],
        created_us=row[12],
        expires_us=row[13],
    )
