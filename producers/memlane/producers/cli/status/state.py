"""How the system is: what was found out about each sink, and what follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, NamedTuple

from memlane.contracts.reply import SinkStats, SinkStatsReport
from memlane.contracts.rounds import RoundReport, SinkRound
from memlane.contracts.standing import NOTHING_SAID, Standing
from memlane.producers.cli.outbox.listing import notes_of, status_record
from memlane.producers.outbox.status import OutboxStatus


class QueueState(NamedTuple):
    """Messages that wait in a queue, and its consumers."""

    ready: int
    consumers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkState:
    """One sink: how it answered, and what its queues hold. A queue is None where there is no such queue.

    Attributes:
        name: the sink's.
        report: how it answered; None where nobody asked it.
        lane: its write queue.
        retrying: messages in all of its retry queues.
        parked: messages in its dead-letter queue.
        responders: consumers of its queries.
        suspects: messages that came back too often, and are tried one by one.
        standing: what was said about it: paused, cut off, rebuilding.
        lag: for how long the oldest command has waited for it; None where that is not known.
        compared: what the reconciler's last round found about it.
    """

    name: str
    report: SinkStatsReport | None
    lane: QueueState | None
    retrying: int
    parked: int | None
    responders: int
    suspects: int = 0
    standing: Standing = NOTHING_SAID
    lag: timedelta | None = None
    compared: SinkRound | None = None

    @property
    def status(self) -> str:
        """`ok`, or what is the matter."""
        return "unknown" if self.report is None else self.report.status

    @property
    def stats(self) -> SinkStats | None:
        """What it holds, where it said so."""
        return None if self.report is None else self.report.stats

    @property
    def digest(self) -> str:
        """Count and sum, to be compared; empty where it did not say."""
        if self.stats is None:
            return ""
        return f"{self.stats.digest.count}:{self.stats.digest.sum:x}"

    def problems(self) -> list[str]:
        """Why it does not work; empty where it does."""
        found = []
        if self.report is not None and self.report.status not in {"ok", "rebuilding"}:
            reason = f": {self.report.reason}" if self.report.reason else ""
            found.append(f"{self.name} is {self.report.status}{reason}")
        if self.lane is None:
            found.append(f"{self.name} has no queue (memlane topology apply)")
        elif self.lane.consumers == 0 and self.standing.paused is None:
            found.append(f"nobody takes {self.name}'s commands (memlane worker lane {self.name})")
        return found + [f"{self.name} is {said}" for said in self.standing.in_words()]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemState:
    """All of it.

    Attributes:
        broker: its address.
        aggregators: consumers of questions.
        silence: why no aggregator answered; empty where one did.
        sinks: in the order of the deployment.
        blocked: why the broker takes no messages (an alarm); None where it does, as far as it has said.
        outbox: what waits on this machine.
        last_round: of the reconciler.
    """

    broker: str
    aggregators: int
    silence: str
    sinks: tuple[SinkState, ...]
    blocked: str | None = None
    outbox: OutboxStatus = field(default_factory=OutboxStatus)
    last_round: RoundReport | None = None

    @property
    def healthy(self) -> bool:
        """Whether commands and questions get through, everywhere."""
        return not self.problems()

    @property
    def agree(self) -> bool | None:
        """Whether all sinks hold the same; None where fewer than two said what they hold."""
        digests = [sink.digest for sink in self.sinks if sink.digest]
        return None if len(digests) < 2 else len(set(digests)) == 1  # noqa: PLR2004

    def problems(self) -> list[str]:
        """What makes it unhealthy."""
        found = [self.silence] if self.silence else []
        if self.blocked is not None:
            found.insert(0, f"RabbitMQ takes no messages while its alarm lasts: {self.blocked}")
        return found + [problem for sink in self.sinks for problem in sink.problems()]

    def notes(self) -> list[str]:
        """What somebody should know, although everything works: parked, delayed, differing."""
        notes = notes_of(self.outbox)
        for sink in self.sinks:
            if sink.parked:
                notes.append(f"{sink.name} has {sink.parked:,} parked (memlane dead list {sink.name})")
            if sink.suspects:
                notes.append(
                    f"{sink.name} has {sink.suspects:,} that came back too often, and are tried alone"
                )
            if sink.retrying:
                notes.append(f"{sink.name} has {sink.retrying:,} waiting to be tried again")
        if self.agree is False:
            behind = [sink.name for sink in self.sinks if sink.lane and sink.lane.ready]
            lag = f"; still on the way: {', '.join(behind)}" if behind else ""
            held = ", ".join(f"{sink.name} {sink.digest}" for sink in self.sinks if sink.digest)
            notes.append(f"sinks differ: {held}{lag}")
        return notes

    # Any: what JSON can say.
    def record(self) -> dict[str, Any]:
        """For JSON Lines."""
        return {
            "healthy": self.healthy,
            "broker": self.broker,
            "blocked": self.blocked,
            "aggregators": self.aggregators,
            "agree": self.agree,
            "problems": self.problems(),
            "notes": self.notes(),
            "last_round": self.last_round.at.isoformat() if self.last_round else None,
            "outbox": status_record(self.outbox),
            "sinks": {sink.name: _sink_record(sink) for sink in self.sinks},
        }


def _sink_record(sink: SinkState) -> Mapping[str, Any]:
    lane = sink.lane
    return {
        "status": sink.status,
        "reason": sink.report.reason if sink.report else None,
        "ms": sink.report.ms if sink.report else None,
        "stats": sink.stats.model_dump(mode="json", exclude={"type"}) if sink.stats else None,
        "digest": sink.digest or None,
        "backlog": lane.ready if lane else None,
        "lane_consumers": lane.consumers if lane else None,
        "responders": sink.responders,
        "lag_seconds": None if sink.lag is None else round(sink.lag.total_seconds(), 3),
        "last_round": sink.compared.model_dump(mode="json") if sink.compared else None,
        "paused": sink.standing.paused is not None,
        "cut_off": sink.standing.cut_off is not None,
        "rebuilding": sink.standing.rebuilding is not None,
        "retrying": sink.retrying,
        "suspects": sink.suspects,
        "parked": sink.parked,
    }
