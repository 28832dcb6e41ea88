"""Cron's syntax, in UTC."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from memlane.workers.backup.schedule import last_due, next_due
from memlane.workers.settings import WorkerSettings

DAILY = "0 2 * * *"
TWO = datetime(2026, 3, 1, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "last", "next_"),
    [
        (TWO, TWO, TWO + timedelta(days=1)),
        (TWO - timedelta(microseconds=1), TWO - timedelta(days=1), TWO),
        (TWO + timedelta(microseconds=1), TWO, TWO + timedelta(days=1)),
        (TWO + timedelta(hours=23), TWO, TWO + timedelta(days=1)),
        # 02:30 in Berlin is 01:30 in UTC.
        (
            datetime(2026, 3, 1, 2, 30, tzinfo=timezone(timedelta(hours=1))),
            TWO - timedelta(days=1),
            TWO,
        ),
    ],
)
def test_what_was_due_last_and_is_due_next(now: datetime, last: datetime, next_: datetime) -> None:
    """The very moment counts as due."""
    assert last_due(DAILY, now) == last
    assert next_due(DAILY, now) == next_


def test_the_default_is_daily_at_two() -> None:
    """UTC."""
    assert WorkerSettings().backup_schedule == DAILY
    assert WorkerSettings().backup_keep == 14


def test_an_empty_schedule_is_never_due() -> None:
    """White space counts as nothing."""
    assert WorkerSettings(backup_schedule=" ").backup_schedule == ""
    assert last_due("", TWO) is None
    assert next_due("", TWO) is None


@pytest.mark.parametrize("text", ["daily", "0 25 * * *", "* * *", "0 2 * * * * *"])
def test_what_is_not_cron_is_refused_at_start(text: str) -> None:
    """With an example of what is."""
    with pytest.raises(ValidationError, match="such as `0 2 \\* \\* \\*`; empty: never"):
        WorkerSettings(backup_schedule=text)
