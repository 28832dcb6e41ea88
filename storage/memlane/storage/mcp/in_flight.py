"""What the ledger keeps besides a SQLite sink's tables: which entries are on their way, and where each is.

An address is noted, durably, before the first call that may change it, and struck off with the transaction
that says so. What is still noted after a crash has to be read back. A place is noted with it: where an entry
that was on its way has gone must be known, whatever came after.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand, store_of
from memlane.storage.rows import Kind
from memlane.storage.sqlite.reading import CONTENT, entry_of
from memlane.storage.sqlite.schema import IN_SCOPE

TABLES: Final = """
CREATE TABLE IF NOT EXISTS in_flight (
  user_id TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, PRIMARY KEY (user_id, namespace, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS places (
  user_id TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, shard INTEGER NOT NULL,
  PRIMARY KEY (user_id, namespace, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS places_shard ON places (shard);
CREATE TABLE IF NOT EXISTS shards (shard INTEGER PRIMARY KEY, entities INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS homes (user_id TEXT PRIMARY KEY, shard INTEGER NOT NULL) WITHOUT ROWID;
"""

FIRST_SHARD: Final = 0
"""Where whatever has no place is looked for: a ledger may be younger than the server's store."""

_EACH: Final = "SELECT value ->> 0 AS user_id, value ->> 1 AS namespace, value ->> 2 AS key FROM json_each(?)"
_NOTE: Final = f"INSERT OR IGNORE INTO in_flight {_EACH}"
_AT: Final = "USING (user_id, namespace, key)"
_IS_LIVE: Final = f"""r.kind = {Kind.LIVE:d} AND NOT EXISTS (
  SELECT 1 FROM marks AS m
  WHERE m.user_id = r.user_id AND m.version >= r.version
  AND {IN_SCOPE.format(mark="m", namespace="r.namespace")}
)"""
_STATE: Final = f"""
SELECT f.user_id, f.namespace, f.key, coalesce(p.shard, {FIRST_SHARD}), {_IS_LIVE}, {CONTENT}
FROM ({_EACH}) AS f LEFT JOIN places AS p {_AT} LEFT JOIN rows AS r {_AT}
"""
_PLACES: Final = f"SELECT f.user_id, f.namespace, f.key, p.shard FROM ({_EACH}) AS f JOIN places AS p {_AT}"
_STRIKE: Final = f"DELETE FROM in_flight WHERE (user_id, namespace, key) IN ({_EACH})"
_FORGET: Final = f"DELETE FROM places WHERE (user_id, namespace, key) IN ({_EACH})"
_COUNT: Final = """
INSERT INTO shards VALUES (?, ?) ON CONFLICT (shard) DO UPDATE SET entities = entities + excluded.entities
"""

Places = dict[int, list[Address]]
Plans = dict[int, dict[Address, StoreCommand | None]]
"""What is wanted at each address, by shard."""


async def note(connection: aiosqlite.Connection, addresses: Iterable[Address]) -> None:
    """Says that these addresses may change on a server."""
    await connection.execute(_NOTE, (_json(addresses),))


async def noted(connection: aiosqlite.Connection, most: int) -> list[Address]:
    """Addresses that are on their way, or were when something broke."""
    rows = await connection.execute_fetchall("SELECT * FROM in_flight LIMIT ?", (most,))
    return [Address(*row) for row in rows]


async def places(connection: aiosqlite.Connection, addresses: Iterable[Address]) -> Places:
    """On which shard each address is; those that were never given one are not in it."""
    found: Places = defaultdict(list)
    for row in await connection.execute_fetchall(_PLACES, (_json(addresses),)):
        found[row[3]].append(Address(row[0], row[1], row[2]))
    return found


async def settle(connection: aiosqlite.Connection, addresses: Sequence[Address], most: int | None) -> None:
    """Gives each address that has no place one.

    Args:
        connection: in a write transaction.
        addresses: of entries that are to be stored.
        most: entries a shard takes; None: there is one shard, which takes all.
    """
    placed = {address for those in (await places(connection, addresses)).values() for address in those}
    for address in dict.fromkeys(addresses):
        if address not in placed:
            shard = 0 if most is None else await _shard_for(connection, address.user_id, most)
            await connection.execute("INSERT INTO places VALUES (?, ?, ?, ?)", (*address, shard))
            await connection.execute(_COUNT, (shard, 1))


async def plans(connection: aiosqlite.Connection, addresses: Iterable[Address]) -> Plans:
    """What the ledger says that servers should hold at these addresses, by shard."""
    found: Plans = defaultdict(dict)
    for row in await connection.execute_fetchall(_STATE, (_json(addresses),)):
        address = Address(row[0], row[1], row[2])
        found[row[3]][address] = store_of(entry_of(row[5:])) if row[4] else None
    return found


async def strike(connection: aiosqlite.Connection, addresses: Iterable[Address], brought: Plans) -> None:
    """Says that the servers hold what was wanted at these addresses."""
    await connection.execute(_STRIKE, (_json(addresses),))
    for shard, wanted in brought.items():
        gone = [address for address, command in wanted.items() if command is None]
        if gone:
            forgotten = await connection.execute(_FORGET, (_json(gone),))
            await connection.execute(_COUNT, (shard, -forgotten.rowcount))


async def note_all(connection: aiosqlite.Connection, shard: int) -> None:
    """Says that nothing on a shard can be relied on."""
    sql = "INSERT OR IGNORE INTO in_flight SELECT user_id, namespace, key FROM places WHERE shard = ?"
    await connection.execute(sql, (shard,))


async def shards(connection: aiosqlite.Connection) -> list[int]:
    """The shards that entries were brought to, in order."""
    rows = await connection.execute_fetchall("SELECT shard FROM shards WHERE entities > 0 ORDER BY shard")
    return [shard for (shard,) in rows]


async def some_of_each(connection: aiosqlite.Connection, shards: Iterable[int], most: int) -> Places:
    """Addresses of entries that were brought to these shards, at most so many of each."""
    found: Places = {}
    sql = f"""
    SELECT p.user_id, p.namespace, p.key FROM places AS p JOIN rows AS r {_AT}
    WHERE p.shard = ? AND {_IS_LIVE} LIMIT ?
    """
    for shard in shards:
        rows = await connection.execute_fetchall(sql, (shard, most))
        found[shard] = [Address(*row) for row in rows]
    return found


async def _shard_for(connection: aiosqlite.Connection, user_id: str, most: int) -> int:
    """The user's own shard while it has room; else the first that has; else a new one."""
    sql = """
    SELECT s.shard FROM shards AS s LEFT JOIN homes AS h ON h.shard = s.shard AND h.user_id = ?
    WHERE s.entities < ? ORDER BY h.user_id IS NULL, s.shard LIMIT 1
    """
    rows = list(await connection.execute_fetchall(sql, (user_id, most)))
    if not rows:
        rows = list(await connection.execute_fetchall("SELECT coalesce(max(shard), -1) + 1 FROM shards"))
    shard = int(rows[0][0])
    await connection.execute("INSERT OR REPLACE INTO homes VALUES (?, ?)", (user_id, shard))
    return shard


def _json(addresses: Iterable[Address]) -> str:
    return json.dumps(list(addresses), ensure_ascii=False)
