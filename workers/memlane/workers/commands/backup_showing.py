"""Showing backups: tables and sentences for people, records for programs."""

from collections.abc import Sequence
from typing import Any, Final

from memlane.contracts.instants import to_text
from memlane.producers.cli.formatting import count_of, local_time, size_of, utc_time
from memlane.producers.cli.output import as_json, on_terminal, write, write_record, write_table
from memlane.workers.backup.folder import Listed
from memlane.workers.backup.format import Counts
from memlane.workers.backup.making import Made

_COLUMNS: Final = (
    "name", "created", "sink", "stores", "deletes", "marks", "expired", "unread", "size", "state",
)  # fmt: skip


def show_list(listed: Sequence[Listed]) -> None:
    """Writes what there is to stdout."""
    if as_json():
        for one in listed:
            write_record(_record(one))
        return
    write_table(_COLUMNS, map(_row, listed))


def show_made(made: Made) -> None:
    """Writes what was made to stdout."""
    header = made.header
    if as_json():
        listed = Listed(name=header.name, bytes=made.bytes, header=header, trailer=made.trailer)
        write_record({**_record(listed), "path": str(made.path)})
        return
    write(f"made {header.name}: {in_words(made.trailer.counts)} of {header.sink}, {size_of(made.bytes)}")


def show_verified(name: str, counts: Counts | None, problem: str) -> None:
    """Writes to stdout whether a backup is good."""
    if as_json():
        found = None if counts is None else counts.model_dump()
        write_record({"name": name, "ok": counts is not None, "counts": found, "problem": problem})
    else:
        write(f"{name}: {problem if counts is None else f'ok, {in_words(counts)}'}")


def in_words(counts: Counts) -> str:
    """`1,204 entries, 17 deletes, 1 mark, 3 expired`."""
    parts = [count_of(counts.stores, "entry", "entries"), count_of(counts.deletes, "delete")]
    parts += [count_of(counts.marks, "mark")] if counts.marks else []
    parts += [f"{counts.expired:,} expired"] if counts.expired else []
    parts += [f"{counts.unread:,} unread"] if counts.unread else []
    return ", ".join(parts)


# Any: what JSON can say.
def _record(one: Listed) -> dict[str, Any]:
    header, trailer = one.header, one.trailer
    return {
        "name": one.name,
        "created_at": None if header is None else to_text(header.created_at),
        "due": None if header is None or header.due is None else to_text(header.due),
        "sink": None if header is None else header.sink,
        "counts": None if trailer is None else trailer.counts.model_dump(),
        "bytes": one.bytes,
        "ok": not one.problem,
        "problem": one.problem,
    }


def _row(one: Listed) -> tuple[str, ...]:
    counts = one.trailer.counts if one.trailer else None
    time, size = (local_time, size_of(one.bytes)) if on_terminal() else (utc_time, str(one.bytes))
    kinds = ("stores", "deletes", "marks", "expired", "unread")
    return (
        one.name,
        time(one.header.created_at) if one.header else "",
        one.header.sink if one.header else "",
        *("" if counts is None else _number(getattr(counts, kind)) for kind in kinds),
        size,
        f"unreadable: {one.problem}" if one.problem else "ok",
    )


def _number(count: int) -> str:
    return f"{count:,}" if on_terminal() else str(count)
