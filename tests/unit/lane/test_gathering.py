"""What a lane has in hand is bounded, in messages by the broker and in bytes here."""

from datetime import UTC, datetime

import pytest
from aiormq import spec
from aiormq.abc import DeliveredMessage
from pamqp.header import ContentHeader

from memlane.workers.lane import gathering
from memlane.workers.lane.gathering import Gatherer
from tests.support.commands import message, store


def delivered(body: bytes, tag: int) -> DeliveredMessage:
    """A message from a lane's queue."""
    return DeliveredMessage(
        delivery=spec.Basic.Deliver("tag", tag, False, "", "queue"),  # redelivered
        header=ContentHeader(properties=spec.Basic.Properties()),
        body=body,
        channel=None,  # type: ignore[arg-type]  # not used here
    )


async def test_nothing_more_is_read_while_too_many_bytes_are_in_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Until a batch of them is acked."""
    body = message(store(value="x" * 100))
    monkeypatch.setattr(gathering, "MAX_BYTES_IN_HAND", 3 * len(body))
    gatherer = Gatherer(500, 1000, lambda: datetime.now(UTC))
    for tag in (1, 2):
        gatherer.put(delivered(body, tag))
        assert gatherer.has_space.is_set()
    gatherer.put(delivered(body, 3))
    assert not gatherer.has_space.is_set()
    gatherer._grow()
    batch = await gatherer.get()
    assert [one.tag for one in batch.deliveries] == [1, 2, 3]
    assert len(gatherer.in_hand) == 3
    gatherer.done(batch)
    assert gatherer.has_space.is_set()
    assert gatherer.is_idle
    assert not gatherer.in_hand


async def test_what_is_set_aside_is_acked_with_its_batch() -> None:
    """It is not applied."""
    gatherer = Gatherer(500, 1000, lambda: datetime.now(UTC))
    for tag in (1, 2, 3):
        gatherer.put(delivered(message(store()), tag))
    gatherer._grow()
    batch = await gatherer.get()
    batch.without(batch.deliveries[1:2])
    assert [one.tag for one in batch.remaining] == [1, 3]
    assert [one.tag for one in batch.deliveries] == [1, 2, 3]
