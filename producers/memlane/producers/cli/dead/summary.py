"""What a retry or a drop came to."""

from collections.abc import Iterator
from typing import Any, Final

from memlane.producers.cli.dead.carrying_out import Report
from memlane.producers.cli.dead.plan import Plan
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.output import as_json, on_terminal, write, write_record, write_table

_DONE: Final = {"retry": "retried", "drop": "dropped"}


def tell_summary(
    verb: str, sink: str, plan: Plan, report: Report, *, dry_run: bool, restamped: int = 0
) -> None:
    """Writes it to stdout: one record, or for people what was meant by class of error, and a sentence.

    Args:
        verb: `retry` or `drop`.
        sink: whose queue.
        plan: what was meant.
        report: how far it came.
        dry_run: nothing was done.
        restamped: commands that got a new version.
    """
    if as_json():
        write_record(_record(verb, sink, plan, report, dry_run=dry_run, restamped=restamped))
        return
    if on_terminal():
        write_table(("error", "messages"), [(name, f"{count:,}") for name, count in _by_class(plan)])
    write(_sentence(verb, sink, plan, report, dry_run=dry_run, restamped=restamped))


# Any: what JSON can say.
def _record(
    verb: str, sink: str, plan: Plan, report: Report, *, dry_run: bool, restamped: int
) -> dict[str, Any]:
    seen = plan if dry_run else report
    return {
        "sink": sink,
        "verb": verb,
        "dry_run": dry_run,
        "messages": seen.messages,
        "commands": seen.commands,
        "copies": seen.copies,
        "restamped": restamped,
        "parked_before": plan.parked,
        "errors": dict(_by_class(plan)),
        "seconds": round(report.seconds, 3),
    }


def _by_class(plan: Plan) -> Iterator[tuple[str, int]]:
    return iter(sorted(plan.errors.items()))


def _sentence(verb: str, sink: str, plan: Plan, report: Report, *, dry_run: bool, restamped: int) -> str:
    seen = plan if dry_run else report
    what = f"{count_of(seen.messages, 'message')} with {count_of(seen.commands, 'command')}"
    if seen.copies > seen.messages:
        what += f" ({seen.copies:,} with their copies)"
    parked = f"of {plan.parked:,} parked for {sink}"
    if dry_run:
        return f"dry run: {what} {parked} would be {_DONE[verb]}; nothing was changed"
    stamped = f", {restamped:,} of them with a new version" if restamped else ""
    return f"{_DONE[verb]} {what}{stamped}, {parked}, in {report.seconds:.1f} s"
