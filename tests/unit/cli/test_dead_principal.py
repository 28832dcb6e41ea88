"""Whose command a parked message is: nobody becomes somebody else by being retried."""

from typing import Any

import pytest

from memlane.producers.cli.dead.letters import read_letter
from memlane.producers.cli.dead.retrying import headers_of, principal_of
from tests.support.commands import message, store
from tests.unit.cli.parked import delivered

BY_BROKER: dict[str, Any] = {"x-death": [{"reason": "delivery_limit"}]}


# Any: headers as a broker may hold them.
@pytest.mark.parametrize(
    ("headers", "user_id", "principal"),
    [
        ({"principal": "bot"}, "worker", "bot"),
        ({"principal": "bot"}, None, "bot"),
        ({}, "worker", None),
        ({"principal": 7}, "worker", None),
        ({"principal": "x" * 256}, "worker", None),
        ({**BY_BROKER, "principal": "admin"}, "bot", None),
        (BY_BROKER, "bot", "bot"),
        ({**BY_BROKER, "principal": "admin"}, None, None),
        ({**BY_BROKER, "principal": "bot"}, "worker", "bot"),
        (BY_BROKER, "worker", None),
    ],
)
def test_the_header_counts_only_where_a_lane_wrote_it(
    headers: dict[str, Any], user_id: str | None, principal: str | None
) -> None:
    """What the broker itself parked is as its producer sent it, with whatever header."""
    found = delivered(message(store()), headers, user_id=user_id)
    assert principal_of(read_letter(found, "sqlite"), found, "worker") == principal


@pytest.mark.parametrize(
    ("headers", "is_kept"),
    [
        ({"repair": True}, True),
        ({"repair": "yes"}, False),
        ({}, False),
        ({**BY_BROKER, "repair": True}, False),
    ],
)
def test_a_repair_stays_one_only_where_a_lane_wrote_it(headers: dict[str, Any], is_kept: bool) -> None:
    """Another sink holds it, so it is taken below the floor."""
    found = delivered(message(store()), headers, user_id="worker")
    kept = headers_of(read_letter(found, "sqlite"), found, "worker")
    assert ("repair" in kept) == is_kept
