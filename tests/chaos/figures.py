"""What a run came to."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.comparing import Finding

MOST_FINDINGS = 200
CONVERGENCE_SECONDS = 60.0


@dataclass(slots=True, eq=False)
class Happened:
    """One event of the schedule.

    Attributes:
        at: seconds since the start.
        faults: each with what it did.
        lasted: seconds from the first beginning to the last healing.
        recovery: seconds from then until a command that was sent afterwards was in every sink; None: not
            within the time that was given.
        disturbed: whether the next fault began before that.
    """

    at: float
    faults: dict[str, str]
    lasted: float
    recovery: float | None = None
    disturbed: bool = False


@dataclass(slots=True)
class Figures:
    """Everything that is reported. Seconds are seconds.

    Attributes:
        commands: different ones that were sent, or were about to be.
        confirmed: of them.
        unconfirmed: of them: they may have had their effect.
        parked: by sink, and the reason's name.
        published_again: more copies in the command log than commands.
        delivered_again: messages that the broker handed out once more.
        converged_after: from the last healing until every sink was found as the fold says, but for those
            that were marked as rebuilding; None: never.
        filled_after: likewise until those were, too; None where none was rebuilding then.
        crashes: how often a process ended with an error of its own, by name.
    """

    seed: int
    kinds: list[str]
    sinks: list[str]
    disk: str
    seconds: float = 0.0
    commands: int = 0
    confirmed: int = 0
    unconfirmed: int = 0
    sends: int = 0
    addresses: int = 0
    parked: dict[str, dict[str, int]] = field(default_factory=dict)
    published_again: int = 0
    delivered_again: int = 0
    events: list[Happened] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    converged_after: float | None = None
    filled_after: float | None = None
    crashes: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)

    @property
    def faults(self) -> Counter[str]:
        """How often each kind happened."""
        return Counter(kind for event in self.events for kind in event.faults)

    @property
    def lost(self) -> int:
        """Findings of that kind."""
        return self._count("lost")

    @property
    def wrong(self) -> int:
        """Findings of that kind."""
        return self._count("wrong")

    @property
    def resurrected(self) -> int:
        """Findings of that kind."""
        return self._count("resurrected")

    @property
    def longest_recovery(self) -> float | None:
        """Seconds, of those that nothing disturbed; None where one of them did not end."""
        return _longest(event for event in self.events if not event.disturbed)

    @property
    def longest_disturbed(self) -> float | None:
        """The same, of those that a further fault disturbed."""
        return _longest(event for event in self.events if event.disturbed)

    @property
    def holds(self) -> bool:
        """Whether every promise was kept."""
        converged = self.converged_after is not None and self.converged_after <= CONVERGENCE_SECONDS
        return not self.findings and converged

    def write(self, path: Path) -> None:
        """As JSON."""
        summary = {
            "holds": self.holds,
            "lost": self.lost,
            "wrong": self.wrong,
            "resurrected": self.resurrected,
            "faults": sum(self.faults.values()),
            "faults_by_kind": dict(sorted(self.faults.items())),
            "longest_recovery": self.longest_recovery,
            "longest_disturbed": self.longest_disturbed,
        }
        everything = {**summary, **asdict(self), "findings": self.findings[:MOST_FINDINGS]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(everything, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    def _count(self, fault: str) -> int:
        return sum(finding.fault == fault for finding in self.findings)


def _longest(events: Iterable[Happened]) -> float | None:
    found = [event.recovery for event in events]
    known = [one for one in found if one is not None]
    return max(known, default=0.0) if len(known) == len(found) else None
