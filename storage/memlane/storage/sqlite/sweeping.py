"""What is due in the database: expiry, purging under marks, forgetting below the floor."""

from typing import Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.storage.digesting import Tally
from memlane.storage.outcome import Recount, SweepReport
from memlane.storage.rows import Head, Kind
from memlane.storage.sqlite.conditions import namespace_range
from memlane.storage.sqlite.forgetting import forget
from memlane.storage.sqlite.recounting import recount_bucket
from memlane.storage.sqlite.tables import add_change, save_tally

_EXPIRE: Final = """
UPDATE rows SET kind = 3, value = NULL, metadata = NULL, tags = NULL, importance = NULL, session_id = NULL,
  project_id = NULL, created_us = NULL, expires_us = NULL, label = NULL, body = NULL
WHERE id IN (SELECT id FROM rows WHERE kind = 1 AND expires_us <= ? ORDER BY expires_us LIMIT ?)
RETURNING user_id, bucket, version, hash, namespace, key
"""
_MERGE_TERMS: Final = "INSERT INTO terms (terms, rank) VALUES ('merge', 500)"
"""Some 500 pages at most of FTS5's segments into fewer ones: a search looks a word up in each of them."""

_PURGING: Final = "SELECT user_id, namespace, version FROM marks WHERE purging = 1"
_COVERED: Final = """
SELECT id, user_id, bucket, version, hash, kind, namespace, key FROM rows
WHERE user_id = ? AND version <= ?"""
_BELOW: Final = " AND (namespace = ? OR namespace >= ? AND namespace < ?)"
_PURGED: Final = "UPDATE marks SET purging = 0 WHERE user_id = ? AND namespace = ?"


async def sweep(
    connection: aiosqlite.Connection, now_us: int, limit: int, recount: int | None, floor: str | None = None
) -> tuple[SweepReport, list[Address]]:
    """Does what is due, inside the caller's write transaction.

    Returns:
        What it did, and the addresses whose content is gone.
    """
    tally = Tally()
    limit = max(0, limit)
    gone = await _expire(connection, now_us, limit, tally)
    covered, unfinished = await _purge(connection, limit - len(gone), tally)
    expired, purged = len(gone), len(covered)
    room = limit - expired - purged
    forgotten = 0 if floor is None else await forget(connection, floor, room, tally)
    await save_tally(connection, tally)
    found = Recount() if recount is None else await recount_bucket(connection, recount)
    if recount is None and limit:
        await connection.execute(_MERGE_TERMS)
    if expired or purged or forgotten or found.corrected or found.demoted:
        await add_change(connection)
    more = unfinished or (limit > 0 and limit in {expired, expired + purged + forgotten})
    return SweepReport(expired, purged, found.corrected, found.damaged, more, forgotten), gone + covered


async def purge(connection: aiosqlite.Connection, limit: int) -> list[Address]:
    """Removes rows that marks cover, at most so many, inside the caller's write transaction; says which."""
    tally = Tally()
    covered, _ = await _purge(connection, limit, tally)
    await save_tally(connection, tally)
    return covered


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
