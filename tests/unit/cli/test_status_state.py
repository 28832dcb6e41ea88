"""What makes a system unhealthy, and what somebody should only know."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from memlane.contracts.reply import DigestModel, SinkStats, SinkStatsReport, SinkStatus
from memlane.contracts.rounds import SinkRound
from memlane.producers.cli.status.showing import lines_of
from memlane.producers.cli.status.state import QueueState, SinkState, SystemState
from memlane.producers.outbox.status import OutboxStatus


def stats(count: int = 1, total: int = 255) -> SinkStats:
    """What a sink with such a digest says."""
    return SinkStats(
        live=count,
        deleted=0,
        expired=0,
        refused=0,
        marks=0,
        digest=DigestModel(count=count, sum=total),
        incarnation="i",
        changes=1,
        durable=True,
        bytes=2048,
    )


# Any: fields of the state, as the test wants them.
def sink(
    name: str = "sqlite", status: SinkStatus = "ok", *, held: SinkStats | None = None, **more: Any
) -> SinkState:
    """A sink that is well, but for what is said."""
    report = SinkStatsReport(status=status, stats=held or stats())
    fields = {"lane": QueueState(0, 1), "retrying": 0, "parked": 0, "responders": 1, "report": report, **more}
    return SinkState(name=name, **fields)


def system(*sinks: SinkState, **more: Any) -> SystemState:
    """A system of these sinks."""
    return SystemState(**{"broker": "b:5672/", "aggregators": 1, "silence": "", "sinks": sinks, **more})


def test_a_system_that_works_is_healthy() -> None:
    """And its sinks agree."""
    state = system(sink(), sink("redis"))
    assert state.healthy
    assert state.agree is True
    assert lines_of(state)[-1] == "healthy, the sinks agree; RabbitMQ at b:5672/, 1 aggregator"


def test_a_sink_that_does_not_answer_is_a_problem() -> None:
    """With its reason."""
    report = SinkStatsReport(status="timeout", reason="no answer in time")
    state = system(sink(), sink("redis", report=report))
    assert not state.healthy
    assert state.problems() == ["redis is timeout: no answer in time"]


def test_a_lane_that_nobody_works_on_is_a_problem() -> None:
    """Commands would wait for ever."""
    assert "nobody takes sqlite's commands" in system(sink(lane=QueueState(5, 0))).problems()[0]
    assert "has no queue" in system(sink(lane=None, parked=None)).problems()[0]


def test_nobody_who_answers_is_a_problem() -> None:
    """Nothing is known of the sinks then."""
    state = system(sink(report=None), silence="no aggregator answers", aggregators=0)
    assert state.problems() == ["no aggregator answers"]
    assert state.sinks[0].status == "unknown"
    assert state.agree is None


def test_parked_delayed_and_differing_are_told_and_do_not_count() -> None:
    """All else goes on."""
    state = system(
        sink(parked=2, retrying=3),
        sink("redis", held=stats(2, 4096), lane=QueueState(7, 1)),
    )
    assert state.healthy
    assert state.agree is False
    assert state.notes() == [
        "sqlite has 2 parked (memlane dead list sqlite)",
        "sqlite has 3 waiting to be tried again",
        "sinks differ: sqlite 1:ff, redis 2:1000; still on the way: redis",
    ]


def test_an_alarm_is_a_problem_and_a_full_outbox_is_told() -> None:
    """Nothing gets through while the alarm lasts; what waits here is safe."""
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    waiting = OutboxStatus(waiting=2, bytes=2048, oldest=since, aside=1)
    state = system(sink(), blocked="low on memory", outbox=waiting)
    assert state.problems() == ["RabbitMQ takes no messages while its alarm lasts: low on memory"]
    first, second = system(sink(), outbox=waiting).notes()
    assert first.startswith(
        "2 commands (2.0 KiB) wait in the outbox of this machine, since 2026-01-02T03:04:05"
    )
    assert second.startswith("1 command that the broker refused for good")
    assert system(sink(), outbox=waiting).healthy
    assert state.record()["outbox"]["aside"] == 1
    assert state.record()["blocked"] == "low on memory"


def test_the_record_is_the_same_for_programs() -> None:
    """Everything by name."""
    record = system(sink(parked=1), sink("redis")).record()
    assert record["healthy"] is True
    assert record["agree"] is True
    assert record["sinks"]["sqlite"]["parked"] == 1
    assert record["sinks"]["redis"]["stats"]["live"] == 1
    assert record["sinks"]["redis"]["digest"] == "1:ff"


def test_a_line_a_sink_for_what_reads_without_json() -> None:
    """The cells in the order that the docstring says."""
    assert lines_of(system(sink()))[0].split("\t") == [
        "sqlite", "ok", "1", "0", "0", "0", "0", "1:ff", "2.0 KiB", "0", "1", "1", "0", "0",
        "-", "-", "-",
    ]  # fmt: skip
    compared = SinkRound(part="source", lacked=3, repaired=2)
    behind = replace(sink(), lag=timedelta(seconds=75), compared=compared)
    assert lines_of(system(behind))[0].split("\t")[-3:] == ["75s", "3", "2"]


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0, "0s"), (0.42, "0.4s"), (10, "10s"), (599, "599s"), (7800, "2h10m")]
)
def test_a_lag_as_people_read_it(seconds: float, shown: str) -> None:
    """Exact where it is short."""
    (line, *_) = lines_of(system(replace(sink(), lag=timedelta(seconds=seconds))))
    assert line.split("\t")[-3] == shown
