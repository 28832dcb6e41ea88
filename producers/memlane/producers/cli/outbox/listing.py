"""How what is in the outbox looks. Never a value."""

from datetime import UTC, datetime
from typing import Any, Final

from memlane.contracts.codec import encode_envelope
from memlane.contracts.instants import to_text
from memlane.producers.cli.dead.parked_commands import read_commands
from memlane.producers.cli.formatting import count_of, local_time, shortened, size_of, utc_time
from memlane.producers.cli.output import on_terminal
from memlane.producers.outbox.status import OutboxEntry, OutboxStatus

COLUMNS: Final = ("state", "since", "what", "where", "version", "bytes", "for", "error")


def row_of(entry: OutboxEntry) -> tuple[str, ...]:
    """A line of the table."""
    what, where = _what_and_where(entry)
    people = on_terminal()
    return (
        entry.state,
        local_time(entry.queued_at) if people else utc_time(entry.queued_at),
        what,
        where,
        entry.version,
        str(len(entry.command)),
        entry.target,
        shortened(entry.error) if people else entry.error,
    )


# Any: what JSON can say.
def entry_record(entry: OutboxEntry) -> dict[str, Any]:
    """For JSON Lines."""
    what, where = _what_and_where(entry)
    return {
        "state": entry.state,
        "queued_at": to_text(entry.queued_at),
        "age_seconds": round((datetime.now(UTC) - entry.queued_at).total_seconds(), 3),
        "what": what,
        "where": where or None,
        "version": entry.version,
        "bytes": len(entry.command),
        "for": entry.target,
        "error": entry.error or None,
    }


# Any: what JSON can say.
def status_record(status: OutboxStatus) -> dict[str, Any]:
    """For JSON Lines."""
    return {
        "waiting": status.waiting,
        "bytes": status.bytes,
        "oldest": None if status.oldest is None else to_text(status.oldest),
        "aside": status.aside,
    }


def notes_of(status: OutboxStatus) -> list[str]:
    """What somebody should know of it; empty where nothing is in it."""
    notes = []
    if status.waiting:
        notes.append(
            f"{count_of(status.waiting, 'command')} ({size_of(status.bytes)}) wait in the outbox of this"
            f" machine, since {utc_time(status.oldest)} (memlane outbox list)"
        )
    if status.aside:
        notes.append(
            f"{count_of(status.aside, 'command')} that the broker refused for good, aside in the outbox"
            " (memlane outbox list)"
        )
    return notes


def _what_and_where(entry: OutboxEntry) -> tuple[str, str]:
    (command,), _ = read_commands(encode_envelope([entry.command]))
    return command.what, command.where
