"""What is due in memory: expiry, purging under marks, recounting; and the comparison's rows."""

from itertools import islice

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import command_hash, digest_of
from memlane.contracts.instants import from_microseconds
from memlane.storage.damage import NO_HASH, counted, demoted, is_damaged_row, is_intact, mark_is_intact
from memlane.storage.decide import covering
from memlane.storage.digesting import Tally, scope_bucket
from memlane.storage.memory.state import MemoryState, Row
from memlane.storage.outcome import Recount, SweepReport
from memlane.storage.rows import Kind, Scope, Trace


def sweep(
    state: MemoryState, now_us: int, limit: int, recount: int | None, floor: str | None = None
) -> SweepReport:
    """Does what is due, and touches at most so many rows."""
    due = list(islice(state.due(now_us), limit))
    for address, row in due:
        state.put(address, Row(row.head._replace(kind=Kind.EXPIRED), row.bucket, None))
    covered = list(islice(state.covered(), limit - len(due)))
    for address in covered:
        state.put(address, None)
    more = next(state.due(now_us), None) is not None or next(state.covered(), None) is not None
    forgotten, unforgotten = (
        (0, False) if floor is None else _forget(state, floor, limit - len(due + covered))
    )
    found = Recount() if recount is None else _recount(state, recount)
    if due or covered or forgotten or found.corrected or found.demoted:
        state.changes += 1
    return SweepReport(len(due), len(covered), found.corrected, found.damaged, more or unforgotten, forgotten)


def versions(state: MemoryState, bucket: int, *, check: bool = True) -> list[Trace]:
    """Every row and mark of a bucket."""
    rows = [
        Trace(address, *row.head, intact=_is_intact(address, row, check=check))
        for of_user in state.rows.values()
        for address, row in of_user.items()
        if row.bucket == bucket
    ]
    marks = [
        Trace(scope, mark.version, mark.hash, None, not check or mark_is_intact(scope, mark))
        for user_id, of_user in state.marks.items()
        for namespace, mark in of_user.items()
        if scope_bucket(scope := Scope(user_id, namespace)) == bucket
    ]
    return rows + marks


def _forget(state: MemoryState, floor: str, limit: int) -> tuple[int, bool]:
    """Keeps the floor, and removes what is forgotten below it; says how many, and whether there are more."""
    state.floor = max(floor, state.floor or floor)
    found = list(islice(state.forgettable(state.floor), limit))
    for place in found:
        if isinstance(place, Address):
            state.put(place, None)
        else:
            state.drop_marks([place])
    return len(found), next(state.forgettable(state.floor), None) is not None


def _is_intact(address: Address, row: Row, *, check: bool) -> bool:
    if not check:
        return row.head.hash != NO_HASH
    return is_intact(address, row.head, _content_hash(row))


def _content_hash(row: Row) -> str | None:
    return command_hash(row.command) if isinstance(row.command, StoreCommand) else None


def _recount(state: MemoryState, bucket: int) -> Recount:
    """Demotes damaged rows, and sets a bucket's digest right; where it was wrong, all digests and counts."""
    damaged = [one for one in versions(state, bucket) if is_damaged_row(one)]
    changed = sum(
        _demote(state, one.place) for one in damaged if one.hash != NO_HASH and isinstance(one.place, Address)
    )
    true = digest_of(trace.hash for trace in versions(state, bucket))
    corrected = state.tally.buckets.get(bucket, [0, 0]) != [true.count, true.sum]
    if corrected:
        state.tally = _tally(state)
    return Recount(corrected, len(damaged), changed)


def _demote(state: MemoryState, address: Address) -> bool:
    row = state.rows[address.user_id][address]
    cover = covering(state.marks_of(address.user_id), address.namespace)
    command = row.command
    head = demoted(row.head, cover=cover.version if cover else None, readable=command is not None)
    if head is None:
        return False
    if command is not None:
        created_at = from_microseconds(command.created_us)
        command = command.model_copy(update={"id": head.version, "created_at": created_at})
    row.head = counted(row.head)
    state.put(address, Row(head, row.bucket, command))
    return True


def _tally(state: MemoryState) -> Tally:
    tally = Tally()
    for user_id, rows in state.rows.items():
        for row in rows.values():
            tally.row(user_id, row.bucket, None, row.head)
    for user_id, marks in state.marks.items():
        for namespace, mark in marks.items():
            tally.mark(Scope(user_id, namespace), None, mark)
    return tally
