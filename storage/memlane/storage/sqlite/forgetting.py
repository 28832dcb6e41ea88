"""Forgetting deletes below the floor, in a database whose sink is told to."""

from typing import Final

import aiosqlite

from memlane.storage.damage import counted
from memlane.storage.digesting import Tally
from memlane.storage.rows import Head, Kind, Mark, Scope
from memlane.storage.sqlite.tables import kept_floor

_IS_GONE: Final = f"kind IN ({Kind.DELETED:d}, {Kind.EXPIRED:d})"
_INDEXES: Final = (
    f"CREATE INDEX IF NOT EXISTS rows_gone ON rows (version) WHERE {_IS_GONE}",
    "CREATE INDEX IF NOT EXISTS marks_gone ON marks (version) WHERE purging = 0",
)
"""Made by the first sweep with a floor: who keeps all deletes does not pay for them."""

_KEEP: Final = """
INSERT INTO meta VALUES ('floor', ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)
"""
_ROWS: Final = f"""
DELETE FROM rows WHERE id IN (
  SELECT id FROM rows WHERE {_IS_GONE} AND version < ? ORDER BY version LIMIT ?
) RETURNING user_id, bucket, version, hash, kind
"""
_MARKS: Final = """
DELETE FROM marks WHERE (user_id, namespace) IN (
  SELECT user_id, namespace FROM marks WHERE purging = 0 AND version < ? ORDER BY version LIMIT ?
) RETURNING user_id, namespace, version, hash
"""


async def forget(connection: aiosqlite.Connection, floor: str, limit: int, tally: Tally) -> int:
    """Keeps the floor, if it is the highest, and removes at most so many rows and marks below it.

    Inside the caller's write transaction.

    Returns:
        How many went.
    """
    for sql in _INDEXES:
        await connection.execute(sql)
    await connection.execute(_KEEP, (floor,))
    highest = await kept_floor(connection) or floor
    rows = list(await connection.execute_fetchall(_ROWS, (highest, limit)))
    for user_id, bucket, version, hash_, kind in rows:
        tally.row(user_id, bucket, counted(Head(version, hash_, Kind(kind))), None)
    marks = list(await connection.execute_fetchall(_MARKS, (highest, limit - len(rows))))
    for user_id, namespace, version, hash_ in marks:
        tally.mark(Scope(user_id, namespace or None), Mark(version, hash_), None)
    return len(rows) + len(marks)
