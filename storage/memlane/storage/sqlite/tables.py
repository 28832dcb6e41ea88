"""Reading and writing the small tables: digests, counts, the store's identity."""

import json
from typing import Final
from uuid import uuid4

import aiosqlite

from memlane.contracts.fingerprint import BUCKETS, Digest
from memlane.contracts.reply import DigestModel, SinkStats
from memlane.storage.digesting import Tally
from memlane.storage.errors import SinkMisconfigured
from memlane.storage.identity import StoreIdentity
from memlane.storage.rows import Kind
from memlane.storage.sqlite.schema import SCHEMA_NUMBER, TABLES

_ADD_TO_USERS: Final = f"""
INSERT INTO users SELECT {", ".join(f"j.value ->> {at}" for at in range(8))}
FROM json_each(?) AS j WHERE TRUE
ON CONFLICT (user_id) DO UPDATE SET
  count = count + excluded.count, sum = sum + excluded.sum, live = live + excluded.live,
  deleted = deleted + excluded.deleted, expired = expired + excluded.expired,
  refused = refused + excluded.refused, marks = marks + excluded.marks
"""
_ADD_TO_BUCKETS: Final = """
INSERT INTO buckets SELECT j.value ->> 0, j.value ->> 1, j.value ->> 2
FROM json_each(?) AS j WHERE TRUE
ON CONFLICT (bucket) DO UPDATE SET count = count + excluded.count, sum = sum + excluded.sum
"""
# total() would round: the sums of all users together are added in Python, where integers do not end.
_STATS: Final = "SELECT count, sum, live, deleted, expired, refused, marks FROM users"


async def prepare(connection: aiosqlite.Connection) -> None:
    """Makes the tables, and gives a new store its identity.

    Raises:
        SinkMisconfigured: the file was made by another version of memlane.
    """
    await connection.execute_fetchall("PRAGMA journal_mode = WAL")
    await connection.executescript(f"BEGIN IMMEDIATE; {TABLES} COMMIT;")
    await connection.executemany(
        "INSERT OR IGNORE INTO meta VALUES (?, ?)",
        [("schema", SCHEMA_NUMBER), ("incarnation", str(uuid4())), ("changes", 0)],
    )
    found = await meta(connection, "schema")
    if found != SCHEMA_NUMBER:
        raise SinkMisconfigured(
            f"the SQLite file has schema {found}, this memlane works with {SCHEMA_NUMBER}",
            hint="run the memlane that made it, or name another file",
        )


async def meta(connection: aiosqlite.Connection, name: str) -> str | int:
    """A value of the store's identity: `schema`, `incarnation` or `changes`."""
    async with connection.execute("SELECT value FROM meta WHERE name = ?", (name,)) as cursor:
        row = await cursor.fetchone()
    if row is None:
        raise SinkMisconfigured(f"the SQLite file has no {name}", hint="it is not memlane's; name another")
    value: str | int = row[0]
    return value


async def kept_floor(connection: aiosqlite.Connection) -> str | None:
    """The version below which deletes may have been forgotten; None where they never were."""
    rows = list(await connection.execute_fetchall("SELECT value FROM meta WHERE name = 'floor'"))
    return str(rows[0][0]) if rows else None


async def add_change(connection: aiosqlite.Connection) -> None:
    """Counts one change of the store."""
    await connection.execute("UPDATE meta SET value = value + 1 WHERE name = 'changes'")


async def touch(connection: aiosqlite.Connection) -> None:
    """Writes what is there already."""
    await connection.execute("UPDATE meta SET value = value WHERE name = 'schema'")


async def identity(connection: aiosqlite.Connection) -> StoreIdentity:
    """Which store this is, and how far it has come."""
    return StoreIdentity(
        incarnation=str(await meta(connection, "incarnation")),
        changes=int(await meta(connection, "changes")),
        floor=await kept_floor(connection),
    )


async def identity_since(connection: aiosqlite.Connection, seen: StoreIdentity | None) -> StoreIdentity:
    """The same, inside the caller's write transaction; a store that went back becomes another one.

    Args:
        connection: to the store as it is now.
        seen: how far it had come, as far as is known.
    """
    found = await identity(connection)
    if seen is None or found.incarnation != seen.incarnation or found.changes >= seen.changes:
        return found
    renewed = found._replace(incarnation=str(uuid4()))
    await connection.execute("UPDATE meta SET value = ? WHERE name = 'incarnation'", (renewed.incarnation,))
    return renewed


async def save_tally(connection: aiosqlite.Connection, tally: Tally) -> None:
    """Adds a transaction's changes to the digests and counts."""
    kinds = (Kind.LIVE, Kind.DELETED, Kind.EXPIRED, Kind.REFUSED)
    users = [
        (
            user_id,
            delta.count,
            delta.sum,
            *map(delta.kinds.__getitem__, kinds),
            delta.marks,
        )
        for user_id, delta in tally.users.items()
    ]
    await connection.execute(_ADD_TO_USERS, (json.dumps(users, ensure_ascii=False),))
    await connection.execute(_ADD_TO_BUCKETS, (json.dumps(list(tally.bucket_deltas())),))


async def user_digest(connection: aiosqlite.Connection, user_id: str) -> Digest:
    """The digest of one user."""
    sql = "SELECT count, sum FROM users WHERE user_id = ?"
    rows = list(await connection.execute_fetchall(sql, (user_id,)))
    return Digest(*rows[0]) if rows else Digest()


async def bucket_digests(connection: aiosqlite.Connection) -> list[Digest]:
    """The digests of all buckets, by number."""
    found = [Digest()] * BUCKETS
    for bucket, count, total in await connection.execute_fetchall("SELECT * FROM buckets"):
        found[bucket] = Digest(count, total)
    return found


async def read_stats(connection: aiosqlite.Connection, user_id: str | None) -> SinkStats:
    """What is held of a user or in all, inside the caller's transaction."""
    where, values = ("", ()) if user_id is None else (" WHERE user_id = ?", (user_id,))
    rows = await connection.execute_fetchall(_STATS + where, values)
    sums = [sum(column) for column in zip(*rows, strict=True)] or [0] * 7
    store = await identity(connection)
    pages = list(
        await connection.execute_fetchall(
            "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        )
    )
    return SinkStats(
        live=sums[2],
        deleted=sums[3],
        expired=sums[4],
        refused=sums[5],
        marks=sums[6],
        digest=DigestModel(count=sums[0], sum=sums[1]),
        incarnation=store.incarnation,
        changes=store.changes,
        durable=True,
        bytes=pages[0][0],
    )
