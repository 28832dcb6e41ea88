"""One batch into the database: read the heads, decide, write the differences."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.command import AddressCommand, AnyCommand, StoreCommand
from memlane.contracts.fingerprint import address_hash, bucket_of
from memlane.storage.decide import Decided, Refuse, decide, takes_everything
from memlane.storage.digesting import Tally, scope_bucket
from memlane.storage.outcome import Outcome
from memlane.storage.rows import Head, Kind, Mark, Scope
from memlane.storage.sqlite.schema import UPSERT_ROWS, WHOLE_USER
from memlane.storage.sqlite.tables import add_change, kept_floor, save_tally
from memlane.storage.sqlite.terms import indexed_text

Value = str | int | None
Heads = dict[Address, Head]
Marks = dict[str, dict[str | None, Mark]]

_HEADS: Final = """
SELECT r.user_id, r.namespace, r.key, r.version, r.hash, r.kind
FROM json_each(?) AS a CROSS JOIN rows AS r
ON r.user_id = a.value ->> 0 AND r.namespace = a.value ->> 1 AND r.key = a.value ->> 2
"""
_MARKS: Final = """
SELECT user_id, namespace, version, hash FROM marks WHERE user_id IN (SELECT value FROM json_each(?))
"""
_SET_MARK: Final = "INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?, 1)"
_DROP_MARK: Final = "DELETE FROM marks WHERE user_id = ? AND namespace = ?"
_DELETE_ROW: Final = "DELETE FROM rows WHERE user_id = ? AND namespace = ? AND key = ?"
_EMPTY: Final[tuple[Value, ...]] = (None,) * 10


async def apply_batch(
    connection: aiosqlite.Connection,
    commands: Sequence[AnyCommand],
    now_us: int,
    refuse: Refuse = takes_everything,
    *,
    repair: bool = False,
) -> tuple[list[Outcome], bool]:
    """Applies a batch inside the caller's transaction.

    Returns:
        The outcomes in order, and whether a mark was set, so that there are rows to purge.
    """
    heads = await _read_heads(connection, commands)
    marks = await _read_marks(connection, commands)
    floor = None if repair else await kept_floor(connection)
    decided = decide(commands, heads, marks, now_us=now_us, refuse=refuse, floor=floor)
    if decided.rows or decided.marks:
        await _write(connection, decided, heads, marks)
    return decided.outcomes, bool(decided.marks)


async def _read_heads(connection: aiosqlite.Connection, commands: Iterable[AnyCommand]) -> Heads:
    addresses = [c.address for c in commands if isinstance(c, AddressCommand)]
    if not addresses:
        return {}
    found = await connection.execute_fetchall(_HEADS, (json.dumps(addresses, ensure_ascii=False),))
    return {Address(row[0], row[1], row[2]): Head(row[3], row[4], Kind(row[5])) for row in found}


async def _read_marks(connection: aiosqlite.Connection, commands: Iterable[AnyCommand]) -> Marks:
    users = list({command.user_id for command in commands})
    marks: Marks = {}
    for row in await connection.execute_fetchall(_MARKS, (json.dumps(users, ensure_ascii=False),)):
        marks.setdefault(row[0], {})[row[1] or None] = Mark(row[2], row[3])
    return marks


async def _write(connection: aiosqlite.Connection, decided: Decided, heads: Heads, marks: Marks) -> None:
    tally = Tally()
    upserts, deletes = _row_changes(decided, heads, tally)
    await connection.execute(UPSERT_ROWS, (json.dumps(upserts, ensure_ascii=False),))
    if deletes:
        await connection.executemany(_DELETE_ROW, deletes)
    if decided.marks or decided.dropped_marks:
        await _write_marks(connection, decided, marks, tally)
    await save_tally(connection, tally)
    await add_change(connection)


def _row_changes(
    decided: Decided, heads: Heads, tally: Tally
) -> tuple[list[tuple[Value, ...]], list[Address]]:
    upserts: list[tuple[Value, ...]] = []
    deletes: list[Address] = []
    for address, change in decided.rows.items():
        bucket = bucket_of(address_hash(*address))
        old = heads.get(address)
        if change is None:
            if old is not None:
                deletes.append(address)
                tally.row(address.user_id, bucket, old, None)
            continue
        head, command = change
        tally.row(address.user_id, bucket, old, head)
        upserts.append((*address, head.version, head.hash, int(head.kind), bucket, *_content(head, command)))
    return upserts, deletes


def _content(head: Head, command: AnyCommand) -> tuple[Value, ...]:
    if head.kind is not Kind.LIVE or not isinstance(command, StoreCommand):
        return _EMPTY
    label, body = indexed_text(command)
    return (
        command.value_json,
        command.metadata_json,
        json.dumps(command.tags, ensure_ascii=False) if command.tags else "[]",
        command.importance,
        command.session_id,
        command.project_id,
        command.created_us,
        command.expires_us,
        label,
        body,
    )


async def _write_marks(
    connection: aiosqlite.Connection, decided: Decided, marks: Marks, tally: Tally
) -> None:
    def present(scope: Scope) -> Mark | None:
        return marks.get(scope.user_id, {}).get(scope.namespace)

    for scope in decided.dropped_marks:
        if (old := present(scope)) is not None:
            await connection.execute(_DROP_MARK, (scope.user_id, scope.namespace or WHOLE_USER))
            tally.mark(scope, old, None)
    for scope, mark in decided.marks.items():
        values = (scope.user_id, scope.namespace or WHOLE_USER, mark.version, mark.hash, scope_bucket(scope))
        await connection.execute(_SET_MARK, values)
        tally.mark(scope, None if scope in decided.dropped_marks else present(scope), mark)
