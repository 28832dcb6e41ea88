"""What options take."""

from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest

from memlane.producers.cli.parameters import DURATION, INSTANT, JSON_OBJECT, WAIT, Duration


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (DURATION, "7d", timedelta(days=7)),
        (DURATION, timedelta(seconds=2), timedelta(seconds=2)),
        (INSTANT, "2026-01-31T08:30:00+01:00", datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
        (JSON_OBJECT, '{"a": [1]}', {"a": [1]}),
        (JSON_OBJECT, {"a": 1}, {"a": 1}),
        (WAIT, "broker", "broker"),
        (WAIT, "any", "any"),
        (WAIT, "all", "all"),
        (WAIT, "sqlite", frozenset({"sqlite"})),
        (WAIT, "sqlite, redis", frozenset({"sqlite", "redis"})),
        (WAIT, frozenset({"sqlite"}), frozenset({"sqlite"})),
    ],
)
# Any: each kind takes and gives something else.
def test_what_is_taken(kind: Any, text: Any, value: Any) -> None:
    """And what it comes to."""
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "reason"),
    [
        (DURATION, "7", "a number and a unit"),
        (DURATION, "0s", "not positive"),
        (Duration(timedelta(seconds=60)), "61s", "at most 60s"),
        (INSTANT, "2026-01-31", "RFC 3339"),
        (INSTANT, "2026-01-31T08:30:00", "RFC 3339"),
        (JSON_OBJECT, "[1]", "must be a JSON object"),
        (JSON_OBJECT, "{", "not JSON"),
        (WAIT, "sqlite,,redis", "is not outbox, broker, any, all"),
        (WAIT, "", "is not outbox, broker, any, all"),
    ],
)
def test_what_is_refused_and_why(kind: Any, text: str, reason: str) -> None:
    """As a usage error, with exit code 2."""
    with pytest.raises(click.BadParameter, match=reason) as caught:
        kind.convert(text, None, None)
    assert caught.value.exit_code == 2


def test_a_repeated_key_in_a_json_object_is_refused() -> None:
    """Which of the two was meant?"""
    tree = JSON_OBJECT.convert('{"a": {"b": 1}}', None, None)
    assert tree == {"a": {"b": 1}}
    with pytest.raises(click.BadParameter, match="stands twice"):
        JSON_OBJECT.convert('{"a": 1, "a": 2}', None, None)
