"""How a sink stands follows from the notices, in their order."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from memlane.contracts.errors import InvalidInput
from memlane.contracts.standing import NOTHING_SAID, NOTICE, Event, Notice, Standing
from memlane.contracts.validation import validate

_START: Final = datetime(2026, 1, 1, tzinfo=UTC)


def notice(
    event: Event, incarnation: str | None = None, reason: str = "", *, at: int = 0, ends: int | None = None
) -> Notice:
    """A notice about one sink, so many seconds after the first."""
    return Notice(
        sink="redis",
        event=event,
        at=_START + timedelta(seconds=at),
        incarnation=incarnation,
        reason=reason,
        ends=None if ends is None else _START + timedelta(seconds=ends),
    )


def after(*notices: Notice) -> Standing:
    """The standing after these."""
    standing = NOTHING_SAID
    for one in notices:
        standing = standing.after(one)
    return standing


def test_a_pause_ends_with_the_resumption() -> None:
    """And is nothing but a pause."""
    paused = notice("paused")
    assert after(paused) == Standing(paused=paused)
    assert after(paused, notice("resumed")) == NOTHING_SAID


def test_who_is_cut_off_is_rebuilding_also_when_it_has_joined() -> None:
    """It lacks what came meanwhile."""
    cut_off = notice("cut-off")
    assert after(cut_off) == Standing(cut_off=cut_off, rebuilding=cut_off)
    assert after(cut_off, notice("joined")) == Standing(rebuilding=cut_off)
    assert after(cut_off, notice("joined"), notice("level", "a")) == Standing(incarnation="a")


def test_what_came_while_it_was_filled_is_not_ended_by_that() -> None:
    """A store that was wiped again, or cut off, lacks what the filling did not bring."""
    first, again = notice("rebuilding", "a", at=1), notice("rebuilding", "b", at=2)
    cut_off = notice("cut-off", at=3)
    assert after(first, again, notice("level", "a", ends=1)).rebuilding == again
    assert after(first, cut_off, notice("level", "a", ends=1)).rebuilding == cut_off
    assert after(first, again, notice("level", "b", ends=2)) == Standing(incarnation="b")


def test_a_store_that_is_seen_for_the_first_time_is_known() -> None:
    """That ends nothing, and another one later is no reason to forget the first."""
    rebuilding = notice("rebuilding")
    assert after(rebuilding, notice("known", "a")) == Standing(rebuilding=rebuilding, incarnation="a")
    assert after(notice("known", "a"), notice("known", "b")) == Standing(incarnation="a")


def test_an_operator_may_say_level_of_whatever_store_there_is() -> None:
    """Without an incarnation."""
    assert after(notice("rebuilding", "a"), notice("level")) == Standing(incarnation="a")


def test_in_words_it_says_since_when_and_why() -> None:
    """A sentence each."""
    standing = after(notice("paused", reason="a new disk"), notice("rebuilding"))
    assert standing.in_words() == [
        "paused since 2026-01-01 00:00:00 UTC: a new disk",
        "rebuilding since 2026-01-01 00:00:00 UTC",
    ]


@pytest.mark.parametrize(
    "tree",
    [
        {"schema": 2, "sink": "redis", "event": "paused", "at": "2026-01-01T00:00:00Z"},
        {"schema": 1, "sink": "Redis/../", "event": "paused", "at": "2026-01-01T00:00:00Z"},
        {"schema": 1, "sink": "redis", "event": "paused"},
        {"schema": 1, "sink": "redis", "event": "paused", "at": "2026-01-01T00:00:00Z", "more": 1},
    ],
)
def test_what_is_no_notice_is_refused(tree: dict[str, object]) -> None:
    """Strictly."""
    with pytest.raises(InvalidInput):
        validate(NOTICE, tree, by_name=False)
