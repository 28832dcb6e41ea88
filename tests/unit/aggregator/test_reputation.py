"""How the sinks have answered lately decides whom it is worth to ask."""

import pytest

from memlane.workers.aggregator.asking import AVOID_SECONDS, FAILURES_TO_AVOID, Reputation

BOTH = ("a", "b")


@pytest.fixture
def reputation() -> Reputation:
    """Of sink `a`, which has failed so often that it is avoided."""
    reputation = Reputation()
    for _ in range(FAILURES_TO_AVOID):
        reputation.saw("a", ok=False, now=0.0)
    return reputation


def test_an_unknown_sink_is_asked() -> None:
    """It has done nothing wrong."""
    assert Reputation().may_ask("a", BOTH, 0.0)


def test_some_failures_are_forgiven() -> None:
    """As long as they are few, or answers come in between."""
    reputation = Reputation()
    for _ in range(FAILURES_TO_AVOID * 3):
        reputation.saw("a", ok=False, now=0.0)
        reputation.saw("a", ok=True, now=0.0)
        assert reputation.may_ask("a", BOTH, 0.0)


def test_failures_in_a_row_are_not(reputation: Reputation) -> None:
    """It is avoided for some time, and then asked once."""
    assert not reputation.may_ask("a", BOTH, AVOID_SECONDS - 0.1)
    assert reputation.may_ask("a", BOTH, AVOID_SECONDS + 0.1)
    assert not reputation.may_ask("a", BOTH, AVOID_SECONDS + 0.2)


def test_one_answer_makes_good(reputation: Reputation) -> None:
    """It is asked as if nothing had been."""
    reputation.saw("a", ok=True, now=1.0)
    assert reputation.may_ask("a", BOTH, 1.0)


def test_it_is_asked_where_nobody_else_would_be(reputation: Reputation) -> None:
    """As the only sink, or while the others fail as well."""
    assert reputation.may_ask("a", ("a",), 0.0)
    for _ in range(FAILURES_TO_AVOID):
        reputation.saw("b", ok=False, now=0.0)
    assert reputation.may_ask("a", BOTH, 0.0)
    assert reputation.may_ask("b", BOTH, 0.0)
