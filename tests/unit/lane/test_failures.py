"""Every failure has one kind, decided in one place."""

import pytest

from memlane.contracts.errors import (
    BrokerUnreachable,
    InvalidInput,
    MalformedMessage,
    PublishFailed,
    VersionFromFuture,
)
from memlane.storage.errors import SinkBusy, SinkMisconfigured, SinkUnavailable
from memlane.workers.lane.failures import FailureKind, Poison, RefusedBySink, kind_of


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (SinkBusy("locked"), FailureKind.TRANSIENT),
        (RuntimeError("whatever"), FailureKind.TRANSIENT),
        (InvalidInput("key", "too long"), FailureKind.PERMANENT),
        (MalformedMessage("body", "no JSON"), FailureKind.PERMANENT),
        (VersionFromFuture("id", "too new"), FailureKind.PERMANENT),
        (RefusedBySink("too large"), FailureKind.PERMANENT),
        (SinkUnavailable("down"), FailureKind.OUTAGE),
        (SinkMisconfigured("not ours"), FailureKind.OUTAGE),
        (BrokerUnreachable("away"), FailureKind.OUTAGE),
        (PublishFailed("blocked"), FailureKind.OUTAGE),
        (Poison("ended the worker"), FailureKind.POISON),
    ],
)
def test_kinds(error: Exception, kind: FailureKind) -> None:
    """An error that nobody knows is tried again."""
    assert kind_of(error) is kind
