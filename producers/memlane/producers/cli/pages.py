"""Showing entries, and what an answer rests on."""

from collections.abc import Callable, Iterable, Mapping

from memlane.contracts.reply import Hit, SinkReport
from memlane.producers.cli.exit_codes import DONE, INCOMPLETE
from memlane.producers.cli.formatting import entry_line, local_time, shortened, text_of, utc_time
from memlane.producers.cli.output import as_json, note, on_terminal, write, write_table
from memlane.producers.importers.versions import UNKNOWN_AGE

_COLUMNS = ("namespace", "key", "value", "tags", "importance", "updated", "expires")


def show_hits(hits: Iterable[Hit], *, scored: bool = False) -> None:
    """Writes entries to stdout: JSON Lines; a table; or tab-separated cells, the value as JSON."""
    if as_json():
        for hit in hits:
            write(entry_line(hit.entry, {"score": hit.score} if scored else None))
        return
    rows: Callable[[Hit], tuple[str, ...]] = _row_for_people if on_terminal() else _row_for_programs
    write_table(_COLUMNS, map(rows, hits))


def tell_completeness(complete: bool, sinks: Mapping[str, SinkReport]) -> int:
    """Says on stderr which sinks an answer lacks.

    Returns:
        The exit code: 3 where it is incomplete.
    """
    if complete:
        return DONE
    missing = [_told(name, said) for name, said in sinks.items() if said.status not in {"ok", "skipped"}]
    note(f"incomplete answer: {'; '.join(missing) or 'a sink could not confirm it'}")
    return INCOMPLETE


def _told(name: str, said: SinkReport) -> str:
    return f"{name}: {said.status}{f' ({said.reason})' if said.reason else ''}"


def _row_for_people(hit: Hit) -> tuple[str, ...]:
    entry = hit.entry
    return (
        entry.namespace,
        entry.key,
        shortened(text_of(entry.value)),
        ", ".join(entry.tags),
        str(entry.importance),
        "unknown" if entry.updated_at == UNKNOWN_AGE else local_time(entry.updated_at),
        local_time(entry.expires_at),
    )


def _row_for_programs(hit: Hit) -> tuple[str, ...]:
    entry = hit.entry
    return (
        entry.namespace,
        entry.key,
        entry.value_json,
        ",".join(entry.tags),
        str(entry.importance),
        utc_time(entry.updated_at),
        utc_time(entry.expires_at),
    )
