"""What came back is suspect only if this worker does not know why."""

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.header import ContentHeader

from memlane.workers.lane import suspicion
from memlane.workers.lane.suspicion import Suspicion


def delivered(
    count: object = None, *, body: bytes = b"{}", message_id: str = "a", redelivered: bool = True
) -> DeliveredMessage:
    """A message, delivered again so many times."""
    headers = None if count is None else {"x-delivery-count": count}
    properties = spec.Basic.Properties(headers=headers, message_id=message_id)  # type: ignore[arg-type]  # any
    return DeliveredMessage(
        delivery=spec.Basic.Deliver("tag", 1, redelivered, "", "queue"),
        header=ContentHeader(properties=properties),
        body=body,
        channel=None,  # type: ignore[arg-type]  # not used here
    )


@pytest.mark.parametrize(
    ("message", "times"),
    [
        (delivered(), 0),
        (delivered(4), 4),
        (delivered(4, redelivered=False), 0),
        (delivered("4"), 0),
        (delivered(-4), 0),
    ],
    ids=["no count", "four times", "forged by its producer", "text", "negative"],
)
def test_the_broker_counts(message: DeliveredMessage, times: int) -> None:
    """As far as what it says is a count."""
    assert Suspicion().times_back(message) == times


def test_what_was_given_back_does_not_count() -> None:
    """Of that message; of another one it says nothing."""
    known = Suspicion()
    known.gave_back([delivered(), delivered(1)])
    assert known.times_back(delivered(2)) == 0
    assert known.times_back(delivered(5)) == 3
    assert known.times_back(delivered(5, message_id="b")) == 5
    assert known.times_back(delivered(5, body=b"[]")) == 5


def test_it_remembers_a_bounded_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest are forgotten first."""
    monkeypatch.setattr(suspicion, "MAX_REMEMBERED", 2)
    known = Suspicion()
    known.gave_back(delivered(message_id=name) for name in "abc")
    assert [known.times_back(delivered(1, message_id=name)) for name in "abc"] == [1, 0, 0]
