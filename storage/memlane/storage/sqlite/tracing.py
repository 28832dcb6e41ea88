"""The rows and marks of a bucket, as the reconciler compares them, each checked against its content."""

import json
from collections.abc import Collection
from typing import Any, Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry
from memlane.contracts.fingerprint import entry_hash
from memlane.storage.damage import NO_HASH, is_intact, is_readable, mark_is_intact
from memlane.storage.rows import Head, Kind, Mark, Scope, Trace
from memlane.storage.sqlite.reading import entry_of

# As bytes: what a disk has damaged need not be text any longer.
_ROWS: Final = """
SELECT user_id, namespace, key, version, CAST(value AS BLOB), CAST(metadata AS BLOB), CAST(tags AS BLOB),
  importance, CAST(session_id AS BLOB), CAST(project_id AS BLOB), created_us, expires_us, hash, kind FROM rows
"""
_ROWS_OF_BUCKET: Final = f"{_ROWS} WHERE bucket = ?"
_PLACES_OF_BUCKET: Final = "SELECT user_id, namespace, key, version, hash, kind FROM rows WHERE bucket = ?"
_AMONG: Final = " AND hash IN (SELECT value FROM json_each(?))"
# One text: it is quicker to read than a row for each. What is no text any longer is no hash either.
_HASHES: Final = """
SELECT group_concat(hash, ' ') FROM (
  SELECT hash FROM rows WHERE bucket = ?1 UNION ALL SELECT hash FROM marks WHERE bucket = ?1
) WHERE typeof(hash) = 'text'
"""
_ROW_AT: Final = f"{_ROWS} WHERE user_id = ? AND namespace = ? AND key = ?"
_MARKS: Final = "SELECT user_id, namespace, version, hash FROM marks WHERE bucket = ?"

_Row = tuple[Any, ...]
"""Any: SQLite's columns, whose types are the schema's."""


async def hashes_of(connection: aiosqlite.Connection, bucket: int) -> list[str]:
    """The hash of every row and mark of a bucket; not what is no text any longer."""
    for (hashes,) in await connection.execute_fetchall(_HASHES, (bucket,)):
        return (hashes or "").split()
    return []


async def versions(
    connection: aiosqlite.Connection,
    bucket: int,
    *,
    check: bool = True,
    hashes: Collection[str] | None = None,
) -> list[Trace]:
    """The rows and marks of a bucket, all or with one of these hashes, inside the caller's transaction."""
    among, given = ("", (bucket,)) if hashes is None else (_AMONG, (bucket, json.dumps(list(hashes))))
    rows = await connection.execute_fetchall((_ROWS_OF_BUCKET if check else _PLACES_OF_BUCKET) + among, given)
    traces = [_trace(tuple(row)) if check else _unchecked(tuple(row)) for row in rows]
    for user_id, namespace, *kept in await connection.execute_fetchall(_MARKS + among, given):
        scope, mark = Scope(user_id, namespace or None), Mark(*kept)
        traces.append(Trace(scope, *mark, None, not check or mark_is_intact(scope, mark)))
    return traces


async def can_be_read(connection: aiosqlite.Connection, address: Address) -> bool:
    """Whether the content of the row at an address is an entry."""
    for row in await connection.execute_fetchall(_ROW_AT, address):
        entry = _entry(tuple(row))
        return entry is not None and is_readable(entry)
    return False


def _unchecked(row: _Row) -> Trace:
    user_id, namespace, key, version, hash_, kind = row
    return Trace(Address(user_id, namespace, key), version, hash_, Kind(kind), hash_ != NO_HASH)


def _trace(row: _Row) -> Trace:
    address, head = Address(*row[:3]), Head(row[3], row[12], Kind(row[13]))
    entry = _entry(row) if head.kind is Kind.LIVE else None
    return Trace(address, *head, intact=is_intact(address, head, _hash(entry)))


def _hash(entry: Entry | None) -> str | None:
    try:
        return entry_hash(entry) if entry is not None else None
    except TypeError:
        return None


def _entry(row: _Row) -> Entry | None:
    try:
        value, metadata, tags = (content.decode() for content in row[4:7])
        session, project = (None if label is None else label.decode() for label in row[8:10])
        return entry_of((*row[:4], value, metadata, tags, row[7], session, project, *row[10:12]))
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None
