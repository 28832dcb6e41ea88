"""Everything that memlane has on a RabbitMQ broker, as data. Nothing is declared from anywhere else.

Works unchanged on RabbitMQ 3.10 to 4.x. A change to a queue's arguments is a new version of its name.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal

COMMANDS: Final = "memlane.commands"
"""The fanout exchange that producers publish commands to."""

QUERIES: Final = "memlane.queries"
"""The fanout exchange that clients publish questions to."""

QUERY_QUEUE: Final = "memlane.queries.v1"
LOG: Final = "memlane.log.v1"

STANDING: Final = "memlane.standing.v1"
"""The stream of notices about the sinks, see `memlane.contracts.standing`."""

ROUNDS: Final = "memlane.rounds.v1"
"""The stream of the reconciler's reports, see `memlane.contracts.rounds`."""

DEFAULT_RETRY_DELAYS: Final = (timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5))
DEFAULT_LOG_AGE: Final = timedelta(days=30)
DEFAULT_LOG_BYTES: Final = 20_000_000_000

LANE_DELIVERY_LIMIT: Final = 1000
"""Only the net under a crash loop: each pause and each browsing of a queue counts as a delivery."""

DEAD_DELIVERY_LIMIT: Final = 1_000_000_000
LOG_SEGMENT_BYTES: Final = 50_000_000
STANDING_BYTES: Final = 1_000_000_000
"""Some millions of notices and marks: far more than there will be, as an old one may still hold."""

STANDING_SEGMENT_BYTES: Final = 10_000_000

ROUNDS_BYTES: Final = 4_000_000
"""Some thousand reports: only the last ones are of use."""

ROUNDS_SEGMENT_BYTES: Final = 1_000_000

Argument = str | int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange."""

    name: str
    purpose: str
    kind: Literal["fanout"] = "fanout"


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, and the exchange that it is bound to, if any; `lane_of` the sink whose lane it is."""

    name: str
    kind: Literal["quorum", "classic", "stream"]
    purpose: str
    arguments: dict[str, Argument] = field(default_factory=dict)
    bound_to: str | None = None
    lane_of: str | None = None


@dataclass(frozen=True, slots=True)
class Topology:
    """Exchanges first, then queues: the order in which they can be declared."""

    exchanges: tuple[Exchange, ...]
    queues: tuple[Queue, ...]


def lane_queue(sink: str) -> str:
    """The name of a sink's write queue."""
    return f"memlane.{sink}.writes.v1"


def suspect_queue(sink: str) -> str:
    """The name of the queue in which messages wait that may have ended a worker: each is tried alone."""
    return f"memlane.{sink}.suspects.v1"


def retry_queue(sink: str, delay: timedelta) -> str:
    """The name of the queue in which a sink's commands wait so long before they are tried again."""
    return f"memlane.{sink}.retry.{delay_name(delay)}.v1"


def dead_queue(sink: str) -> str:
    """The name of a sink's dead-letter queue, where commands are parked."""
    return f"memlane.{sink}.dead.v1"


def sink_query_queue(sink: str) -> str:
    """The name of the queue from which a sink's responders take questions."""
    return f"memlane.{sink}.queries.v1"


def delay_name(delay: timedelta) -> str:
    """`5s`, `30s`, `5m`, `1h`; `250ms` where it is not whole seconds."""
    milliseconds = delay // timedelta(milliseconds=1)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms"


def topology(
    sinks: Iterable[str],
    *,
    retry_delays: Sequence[timedelta] = DEFAULT_RETRY_DELAYS,
    log_age: timedelta = DEFAULT_LOG_AGE,
    log_bytes: int = DEFAULT_LOG_BYTES,
) -> Topology:
    """All of it, for these sinks.

    Args:
        sinks: their names, each once.
        retry_delays: one retry queue a sink and delay; whole milliseconds.
        log_age: how long the command log keeps commands (by whole segments of 50 MB).
        log_bytes: how large the command log may grow.
    """
    exchanges = (
        Exchange(COMMANDS, "producers publish commands here"),
        Exchange(QUERIES, "clients publish questions here"),
    )
    queues = [
        _log(log_age, log_bytes),
        _standing(),
        _rounds(),
        _query_queue(QUERY_QUEUE, "the aggregators' questions", QUERIES),
    ]
    for sink in sinks:
        queues += _sink_queues(sink, retry_delays)
    return Topology(exchanges, tuple(queues))


def _sink_queues(sink: str, retry_delays: Sequence[timedelta]) -> list[Queue]:
    lane = Queue(
        lane_queue(sink),
        "quorum",
        f"the lane: commands for {sink}",
        {
            "x-delivery-limit": LANE_DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            **_dead_letter_to(dead_queue(sink)),
        },
        bound_to=COMMANDS,
        lane_of=sink,
    )
    suspects = Queue(
        suspect_queue(sink),
        "quorum",
        f"messages that came back to {sink} too often: each is tried alone",
        {
            "x-delivery-limit": LANE_DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            **_dead_letter_to(dead_queue(sink)),
        },
    )
    retries = [_retry(sink, delay) for delay in retry_delays]
    dead = Queue(
        dead_queue(sink),
        "quorum",
        "parked commands, with the reason",
        {"x-delivery-limit": DEAD_DELIVERY_LIMIT, "x-overflow": "reject-publish"},
    )
    # The lane comes last: what it dead-letters to is there before the first command.
    questions = _query_queue(sink_query_queue(sink), f"questions for {sink}'s responders")
    return [dead, suspects, lane, *retries, questions]


def _retry(sink: str, delay: timedelta) -> Queue:
    return Queue(
        retry_queue(sink, delay),
        "quorum",
        f"commands that wait {delay_name(delay)} before they are tried again",
        {
            "x-delivery-limit": LANE_DELIVERY_LIMIT,
            "x-overflow": "reject-publish",
            "x-message-ttl": delay // timedelta(milliseconds=1),
            **_dead_letter_to(lane_queue(sink)),
        },
    )


def _dead_letter_to(queue: str) -> dict[str, Argument]:
    return {
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
    }


def _query_queue(name: str, purpose: str, bound_to: str | None = None) -> Queue:
    return Queue(name, "classic", purpose, bound_to=bound_to)


def _log(age: timedelta, size: int) -> Queue:
    return Queue(
        LOG,
        "stream",
        "the command log: every command, for replay",
        {
            "x-max-age": f"{age // timedelta(seconds=1)}s",
            "x-max-length-bytes": size,
            "x-stream-max-segment-size-bytes": LOG_SEGMENT_BYTES,
        },
        bound_to=COMMANDS,
    )


def _standing() -> Queue:
    return Queue(
        STANDING,
        "stream",
        "how the sinks stand: paused, cut off, rebuilding",
        {"x-max-length-bytes": STANDING_BYTES, "x-stream-max-segment-size-bytes": STANDING_SEGMENT_BYTES},
    )


def _rounds() -> Queue:
    return Queue(
        ROUNDS,
        "stream",
        "what the reconciler's rounds found",
        {"x-max-length-bytes": ROUNDS_BYTES, "x-stream-max-segment-size-bytes": ROUNDS_SEGMENT_BYTES},
    )
