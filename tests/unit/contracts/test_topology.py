"""The topology: everything on the broker, as the design has it."""

from datetime import timedelta

import pytest

from memlane.contracts.topology import (
    COMMANDS,
    LOG,
    QUERIES,
    QUERY_QUEUE,
    ROUNDS,
    STANDING,
    Queue,
    dead_queue,
    delay_name,
    lane_queue,
    retry_queue,
    sink_query_queue,
    topology,
)

SINKS = ("sqlite", "redis")
_TOPOLOGY = topology(SINKS)
_QUEUES = {queue.name: queue for queue in _TOPOLOGY.queues}
_QUORUM = [queue for queue in _TOPOLOGY.queues if queue.kind == "quorum"]


def test_all_names() -> None:
    """What there is, for two sinks; nothing twice."""
    delays = ("5s", "30s", "5m")
    expected = [LOG, STANDING, ROUNDS, QUERY_QUEUE]
    for sink in SINKS:
        expected += [f"memlane.{sink}.{part}.v1" for part in ("writes", "suspects", "dead", "queries")]
        expected += [f"memlane.{sink}.retry.{delay}.v1" for delay in delays]
    assert sorted(_QUEUES) == sorted(expected)
    assert len(_TOPOLOGY.queues) == len(expected)
    assert [exchange.name for exchange in _TOPOLOGY.exchanges] == [COMMANDS, QUERIES]
    assert {exchange.kind for exchange in _TOPOLOGY.exchanges} == {"fanout"}


def test_one_message_reaches_all_lanes_and_the_log() -> None:
    """They, and only they, are bound to the exchange of commands; the aggregators to that of questions."""
    bound = {queue.name: queue.bound_to for queue in _TOPOLOGY.queues if queue.bound_to}
    assert bound == {LOG: COMMANDS, QUERY_QUEUE: QUERIES} | {lane_queue(sink): COMMANDS for sink in SINKS}


@pytest.mark.parametrize("queue", _QUORUM, ids=lambda queue: str(queue.name))
def test_every_quorum_queue_has_a_delivery_limit(queue: Queue) -> None:
    """At least 100: pausing and browsing count too."""
    limit = queue.arguments["x-delivery-limit"]
    assert isinstance(limit, int)
    assert limit >= 100


@pytest.mark.parametrize("queue", _QUORUM, ids=lambda queue: str(queue.name))
def test_no_quorum_queue_has_a_length_limit(queue: Queue) -> None:
    """One full lane would refuse the publisher's command for all."""
    assert not set(queue.arguments) & {"x-max-length", "x-max-length-bytes", "x-expires", "x-max-priority"}


@pytest.mark.parametrize("sink", SINKS)
def test_what_a_lane_drops_is_parked(sink: str) -> None:
    """At least once, and refused rather than lost where it can't be."""
    arguments = _QUEUES[lane_queue(sink)].arguments
    assert arguments["x-dead-letter-exchange"] == ""
    assert arguments["x-dead-letter-routing-key"] == dead_queue(sink)
    assert arguments["x-dead-letter-strategy"] == "at-least-once"
    assert arguments["x-overflow"] == "reject-publish"
    assert "x-message-ttl" not in arguments


@pytest.mark.parametrize("sink", SINKS)
def test_a_retry_queue_for_each_delay(sink: str) -> None:
    """With a fixed time to live, back to the lane, at least once."""
    for seconds in (5, 30, 300):
        delay = timedelta(seconds=seconds)
        arguments = _QUEUES[retry_queue(sink, delay)].arguments
        assert arguments["x-message-ttl"] == seconds * 1000
        assert arguments["x-dead-letter-routing-key"] == lane_queue(sink)
        assert arguments["x-dead-letter-strategy"] == "at-least-once"
        assert arguments["x-overflow"] == "reject-publish"


@pytest.mark.parametrize("sink", SINKS)
def test_what_is_parked_stays(sink: str) -> None:
    """A practically unlimited delivery limit, no time to live, and nowhere else to go."""
    arguments = _QUEUES[dead_queue(sink)].arguments
    assert arguments["x-delivery-limit"] == 1_000_000_000
    assert not set(arguments) & {"x-message-ttl", "x-dead-letter-exchange", "x-max-age"}


def test_what_dead_letters_comes_after_where_it_goes() -> None:
    """Queues are declared in order: a lane's first dropped command already has a place."""
    names = [queue.name for queue in _TOPOLOGY.queues]
    for sink in SINKS:
        assert names.index(dead_queue(sink)) < names.index(lane_queue(sink))


def test_the_log_is_a_bounded_stream() -> None:
    """By age and by bytes, in segments of 50 MB."""
    log = _QUEUES[LOG]
    assert log.kind == "stream"
    assert log.arguments == {
        "x-max-age": "2592000s",
        "x-max-length-bytes": 20_000_000_000,
        "x-stream-max-segment-size-bytes": 50_000_000,
    }


@pytest.mark.parametrize("name", [QUERY_QUEUE, *map(sink_query_queue, SINKS)])
def test_questions_go_through_classic_queues(name: str) -> None:
    """They expire at their own deadline."""
    assert (_QUEUES[name].kind, _QUEUES[name].arguments) == ("classic", {})


def test_settings_change_only_their_own() -> None:
    """Delays and the log's bounds."""
    found = topology(
        ["a"], retry_delays=[timedelta(milliseconds=250)], log_age=timedelta(hours=1), log_bytes=5
    )
    queues = {queue.name: queue for queue in found.queues}
    assert queues["memlane.a.retry.250ms.v1"].arguments["x-message-ttl"] == 250
    assert queues[LOG].arguments["x-max-age"] == "3600s"
    assert queues[LOG].arguments["x-max-length-bytes"] == 5
    assert queues[lane_queue("a")] == Queue(
        lane_queue("a"),
        "quorum",
        "the lane: commands for a",
        {**_QUEUES[lane_queue("redis")].arguments, "x-dead-letter-routing-key": dead_queue("a")},
        COMMANDS,
        "a",
    )


@pytest.mark.parametrize(
    ("delay", "name"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(hours=2), "2h"),
        (timedelta(seconds=90), "90s"),
        (timedelta(milliseconds=1500), "1500ms"),
        (timedelta(days=1), "24h"),
    ],
)
def test_delays_have_short_names(delay: timedelta, name: str) -> None:
    """In the largest unit that is whole."""
    assert delay_name(delay) == name
