"""What a log says of an exception: where it came from, and no value."""

import sys
from typing import Any

from memlane.contracts.errors import ConfigurationError
from memlane.producers.logs import show_exception

SECRET = "the orchid blooms at midnight"


def shown(error: BaseException) -> str:
    """What becomes of it in a log line."""

    def fail() -> None:
        raise error

    told: dict[str, Any] = {}
    try:
        fail()
    except BaseException:  # noqa: BLE001
        told.update(show_exception(None, "error", {"event": "x", "exc_info": sys.exc_info()}))
    return str(told["exception"])


def test_a_foreign_error_is_its_type_and_place() -> None:
    """Whatever it quotes."""
    told = shown(ValueError(SECRET))
    assert told.endswith("in fail\nValueError")
    assert SECRET not in told


def test_an_error_of_ours_keeps_its_words() -> None:
    """They were chosen for it."""
    assert shown(ConfigurationError("what", hint="how")).endswith("what (how)")


def test_causes_and_groups_are_told_the_same_way() -> None:
    """All of them, without their words."""
    error = ExceptionGroup(SECRET, [KeyError(SECRET), ExceptionGroup(SECRET, [OSError(SECRET)])])
    error.__cause__ = RuntimeError(SECRET)
    told = shown(error)
    kinds = [line for line in told.splitlines() if line.isidentifier()]
    assert kinds == ["RuntimeError", "ExceptionGroup", "KeyError", "ExceptionGroup", "OSError"]
    assert SECRET not in told


def test_a_chain_without_end_has_one() -> None:
    """However it came to be."""
    first, second = ValueError(SECRET), KeyError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert SECRET not in shown(first)


def test_lines_without_an_exception_stay() -> None:
    """As they are."""
    event: dict[str, Any] = {"event": "x"}
    assert show_exception(None, "info", dict(event)) == event
    assert show_exception(None, "info", {**event, "exc_info": None}) == event
