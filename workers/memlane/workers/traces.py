"""The rows and marks of a bucket, on the wire between workers."""

from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.reply import TraceRow
from memlane.storage.rows import Kind, Scope, Trace

_MARK: Final = 0


def row_of(trace: Trace) -> TraceRow:
    """A trace as it is sent."""
    user_id, namespace, *key = trace.place
    kind = _MARK if trace.kind is None else int(trace.kind)
    return (user_id, namespace, key[0] if key else None, trace.version, trace.hash, kind, trace.intact)


def trace_of(row: TraceRow) -> Trace:
    """The inverse of `row_of`.

    Raises:
        ValueError: there is no such kind.
    """
    user_id, namespace, key, version, hash_, kind, intact = row
    if kind == _MARK or namespace is None or key is None:
        return Trace(Scope(user_id, namespace), version, hash_, None, intact)
    return Trace(Address(user_id, namespace, key), version, hash_, Kind(kind), intact)
