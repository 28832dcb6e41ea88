"""What a failure means for a lane: decided here, for every kind of error, and nowhere else.

| kind | what it is | what the lane does |
| --- | --- | --- |
| transient | it may work the next time | tries at once (a busy sink), then by the retry queues, then parks |
| permanent | it can never work | parks the command, with the reason |
| outage | the sink or the broker is away | opens the breaker: nothing is retried, nothing is parked |
| poison | the message ends the worker's process | parks the message |
"""

from enum import StrEnum
from typing import Final

from memlane.contracts.errors import BrokerError, InvalidInput, MemlaneError
from memlane.storage.errors import SinkBusy, SinkMisconfigured, SinkUnavailable


class FailureKind(StrEnum):
    """See the table above."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    OUTAGE = "outage"
    POISON = "poison"


class RefusedBySink(MemlaneError):
    """The sink can never take this command, as it says itself: it is too large for it, say."""


class Poison(MemlaneError):
    """A message that came back, alone, from a worker process that ended."""


_KINDS: Final[tuple[tuple[type[Exception], FailureKind], ...]] = (
    (Poison, FailureKind.POISON),
    (InvalidInput, FailureKind.PERMANENT),
    (RefusedBySink, FailureKind.PERMANENT),
    (SinkBusy, FailureKind.TRANSIENT),
    (SinkUnavailable, FailureKind.OUTAGE),
    (SinkMisconfigured, FailureKind.OUTAGE),
    (BrokerError, FailureKind.OUTAGE),
)


def kind_of(error: Exception) -> FailureKind:
    """The kind of a failure. An error that is not in the table is taken for a transient one."""
    return next((kind for type_, kind in _KINDS if isinstance(error, type_)), FailureKind.TRANSIENT)
