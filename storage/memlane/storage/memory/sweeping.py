"""What is due in memory: expiry, purging under marks, recounting; and the comparison's rows."""

from itertools import islice

from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import command_hash, digest_of
from memlane.storage.digesting import Tally, scope_bucket
from memlane.storage.memory.state import MemoryState, Row
from memlane.storage.outcome import SweepReport
from memlane.storage.rows import Kind, Scope, Trace


def sweep(state: MemoryState, now_us: int, limit: int, recount: int | None) -> SweepReport:
    """Does what is due, and touches at most so many rows."""
    due = list(islice(state.due(now_us), limit))
    for address, row in due:
        state.put(address, Row(row.head._replace(kind=Kind.EXPIRED), row.bucket, None))
    covered = list(islice(state.covered(), limit - len(due)))
    for address in covered:
        state.put(address, None)
    corrected = recount is not None and _recount(state, recount)
    if due or covered or corrected:
        state.changes += 1
    more = next(state.due(now_us), None) is not None or next(state.covered(), None) is not None
    return SweepReport(expired=len(due), purged=len(covered), corrected=corrected, more=more)


def versions(state: MemoryState, bucket: int) -> list[Trace]:
    """Every row and mark of a bucket."""
    rows = [
        Trace(address, row.head.version, row.head.hash, row.head.kind, _is_intact(row))
        for of_user in state.rows.values()
        for address, row in of_user.items()
        if row.bucket == bucket
    ]
    marks = [
        Trace(Scope(user_id, namespace), mark.version, mark.hash, None, intact=True)
        for user_id, of_user in state.marks.items()
        for namespace, mark in of_user.items()
        if scope_bucket(Scope(user_id, namespace)) == bucket
    ]
    return rows + marks


def _is_intact(row: Row) -> bool:
    return row.head.kind is not Kind.LIVE or (
        isinstance(row.command, StoreCommand) and command_hash(row.command) == row.head.hash
    )


def _recount(state: MemoryState, bucket: int) -> bool:
    """Sets a bucket's digest right; where it was wrong, all digests and counts."""
    true = digest_of(trace.hash for trace in versions(state, bucket))
    if state.tally.buckets.get(bucket, [0, 0]) == [true.count, true.sum]:
        return False
    state.tally = _tally(state)
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
