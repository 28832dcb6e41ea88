"""How a round of the reconciler looks: the differences, and what each sink lacked and got."""

from dataclasses import dataclass, field

from memlane.contracts.address import Address
from memlane.contracts.rounds import RoundReport, SinkRound
from memlane.producers.cli.exit_codes import DONE, FAILED, INCOMPLETE
from memlane.producers.cli.output import as_json, note, write_record, write_table
from memlane.workers.reconciler.comparing import Lack

_COUNTS = ("rows", "lacked", "repaired", "waiting", "parked", "unreadable", "gave", "damaged")
COLUMNS = ("sink", "part", *_COUNTS, "reason")


@dataclass(slots=True)
class Differences:
    """What differed: the first so many are named.

    Args:
        most: how many.
    """

    most: int
    count: int = 0
    named: list[Lack] = field(default_factory=list)

    def add(self, lack: Lack) -> None:
        """Takes one more."""
        self.count += 1
        if len(self.named) < self.most:
            self.named.append(lack)

    def show(self) -> None:
        """A line each: where, which version, and which way it goes."""
        for lack in self.named:
            if as_json():
                write_record({"difference": _record(lack)})
            else:
                kind = "delete of a scope" if lack.trace.kind is None else lack.trace.kind.name.lower()
                way = f"{'/'.join(lack.holders)} → {lack.sink}"
                note(f"{way}: {_where(lack)} {lack.trace.version} ({kind})")
        if self.count > len(self.named):
            note(f"… and {self.count - len(self.named):,} more")


def show_round(report: RoundReport) -> None:
    """The report, a line a sink."""
    if as_json():
        write_record(report.model_dump(mode="json", by_alias=True))
        return
    write_table(COLUMNS, [_row(sink, one) for sink, one in report.sinks.items()])
    kind = "all buckets" if report.full else f"{report.buckets:,} buckets differed"
    young = f"; {report.young:,} differences are too new to count" if report.young else ""
    note(f"{kind}; {report.seconds:.1f} s{young}")


def exit_code_of(report: RoundReport) -> int:
    """How the command ends: 3 where a sink was not compared, 1 where something is not repaired."""
    sinks = report.sinks.values()
    if any(one.part in {"unavailable", "skipped"} for one in sinks):
        return INCOMPLETE
    if report.dry_run:
        return FAILED if report.differences or any(one.damaged for one in sinks) else DONE
    return DONE if all(one.is_level for one in sinks) else FAILED


def _row(sink: str, one: SinkRound) -> tuple[str, ...]:
    counts = (getattr(one, name) for name in _COUNTS)
    return (sink, one.part, *("-" if count is None else f"{count:,}" for count in counts), one.reason)


def _where(lack: Lack) -> str:
    place = lack.trace.place
    if isinstance(place, Address):
        return str(place)
    return f"{place.user_id}:{place.namespace}/" if place.namespace else place.user_id


def _record(lack: Lack) -> dict[str, str | list[str] | None]:
    place = lack.trace.place
    return {
        "to": lack.sink,
        "from": list(lack.holders),
        "user_id": place.user_id,
        "namespace": place.namespace,
        "key": place.key if isinstance(place, Address) else None,
        "version": lack.trace.version,
        "kind": "mark" if lack.trace.kind is None else lack.trace.kind.name.lower(),
    }
