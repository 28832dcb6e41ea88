"""What an import came to."""

from typing import Any

from memlane.producers.cli.formatting import count_of
from memlane.producers.importers.sending import ImportReport


def sentences_of(report: ImportReport, *, dry_run: bool) -> list[str]:
    """For people."""
    good = report.read - report.bad
    bad = f", {count_of(report.bad, 'bad line')} left out" if report.bad else ""
    if dry_run:
        return [
            f"dry run: {good:,} of {count_of(report.read, 'line')} could be imported{bad}; nothing was sent"
        ]
    speed = f"in {report.seconds:.1f} s, {report.rate:,.0f} a second"
    head = f"imported {report.sent:,} of {count_of(report.read, 'line')} ({speed}){bad}"
    return [head, *(f"  {sink}: {said}" for sink, said in _by_sink(report).items())]


# Any: what JSON can say.
def record_of(report: ImportReport, *, dry_run: bool) -> dict[str, Any]:
    """For JSON Lines."""
    sinks: dict[str, dict[str, int]] = {}
    for (sink, decision), count in sorted(report.decisions.items()):
        sinks.setdefault(sink, {})[decision] = count
    return {
        "read": report.read,
        "sent": report.sent,
        "bad": report.bad,
        "undated": report.undated,
        "dry_run": dry_run,
        "seconds": round(report.seconds, 3),
        "rate": round(report.rate, 1),
        "sinks": sinks,
    }


def _by_sink(report: ImportReport) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for (sink, decision), count in sorted(report.decisions.items()):
        found.setdefault(sink, []).append(f"{count:,} {decision}")
    return {sink: ", ".join(said) for sink, said in found.items()}
