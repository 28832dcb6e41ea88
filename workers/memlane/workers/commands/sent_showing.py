"""What sending commands came to: sentences for people, a record for programs, an exit code."""

from collections.abc import Mapping
from typing import Any, Final

from memlane.producers.cli.exit_codes import DONE, FAILED, INCOMPLETE
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.output import as_json, write, write_record
from memlane.workers.backup.format import Counts, counts_of
from memlane.workers.backup.rollback import Plan
from memlane.workers.backup.sending import Sent
from memlane.workers.commands.backup_showing import in_words

_DECIDED: Final = {
    "applied": "in place",
    "superseded": "already newer",
    "parked": "parked (see `memlane dead list`)",
    "pending": "not decided yet (they wait in the queue)",
}


def exit_code_for(sent: Sent) -> int:
    """0 where all that was waited for is decided; 1 where a command is parked, 3 where one is pending."""
    decisions = {decision for _, decision in sent.report.decisions}
    if "parked" in decisions:
        return FAILED
    return INCOMPLETE if "pending" in decisions else DONE


def show_restored(name: str, sent: Sent, *, dry_run: bool) -> None:
    """Writes to stdout what a restore came to."""
    counts = counts_of(sent.kinds)
    if as_json():
        write_record({"backup": name, "as_new": False, **_record(sent, counts, dry_run=dry_run)})
    elif dry_run:
        write(f"dry run: {name} holds {in_words(counts)} to be sent; nothing was sent")
    else:
        write(f"restored {name}: {in_words(counts)} sent in {sent.report.seconds:.1f} s")
        show_decisions(sent)


def show_rolled_back(name: str, plan: Plan, sent: Sent, *, dry_run: bool) -> None:
    """Writes to stdout what a rollback came to."""
    planned = {
        "stored": len(plan.stores),
        "deleted": len(plan.deletes),
        "unchanged": plan.unchanged,
        "expired": plan.expired,
        "newer": plan.newer,
        "unread": plan.unread,
    }
    if as_json():
        counts = counts_of(sent.kinds)
        write_record({"backup": name, "as_new": True, **planned, **_record(sent, counts, dry_run=dry_run)})
        return
    words = _plan_in_words(planned)
    if dry_run:
        write(f"dry run: rolling back to {name}: {words}; nothing was sent")
    else:
        write(f"rolled back to {name} in {sent.report.seconds:.1f} s: {words}")
        show_decisions(sent)


def show_decisions(sent: Sent) -> None:
    """Writes to stdout what each sink decided, where that was waited for."""
    for sink, decisions in decisions_of(sent).items():
        said = (f"{count:,} {_DECIDED[decision]}" for decision, count in decisions.items())
        write(f"  {sink}: {', '.join(said)}")


def _plan_in_words(planned: Mapping[str, int]) -> str:
    words = [
        f"{count_of(planned['stored'], 'entry', 'entries')} stored again",
        f"{planned['deleted']:,} deleted",
        f"{planned['unchanged']:,} unchanged",
    ]
    words += [f"{planned['expired']:,} expired since"] if planned["expired"] else []
    words += [f"{planned['newer']:,} written to since it began"] if planned["newer"] else []
    words += (
        [f"{planned['unread']:,} left alone, whose content the backup lacks"] if planned["unread"] else []
    )
    return ", ".join(words)


# Any: what JSON can say.
def _record(sent: Sent, counts: Counts, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "counts": counts.model_dump(exclude={"unread"}),
        "sent": sent.report.sent,
        "seconds": round(sent.report.seconds, 3),
        "sinks": decisions_of(sent),
    }


def decisions_of(sent: Sent) -> dict[str, dict[str, int]]:
    """What the sinks decided where that was waited for: by sink and decision, how many."""
    sinks: dict[str, dict[str, int]] = {}
    for (sink, decision), count in sorted(sent.report.decisions.items()):
        sinks.setdefault(sink, {})[decision] = count
    return sinks
