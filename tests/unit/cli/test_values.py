"""The value to store: an argument, or stdin."""

import io
from typing import Any

import click
import pytest

from memlane.contracts.errors import InvalidInput
from memlane.contracts.limits import MAX_MESSAGE_BYTES
from memlane.producers.cli.values import read_value


class Terminal(io.TextIOWrapper):
    """A stdin that a person sits at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Pipes bytes into stdin."""

    def pipe(data: bytes) -> None:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    return pipe


def test_an_argument_is_text_whatever_it_looks_like() -> None:
    """`42` may be a house number."""
    assert read_value("42", as_json=False) == "42"
    assert read_value('{"a": 1}', as_json=False) == '{"a": 1}'


def test_json_is_taken_as_json_where_it_is_said() -> None:
    """Numbers of any size as they are."""
    assert read_value("12345678901234567890", as_json=True) == 12345678901234567890
    assert read_value('{"a": [1, null]}', as_json=True) == {"a": [1, None]}


@pytest.mark.parametrize("argument", [None, "-"])
def test_stdin_is_read_without_its_last_line_end(argument: str | None, stdin: Any) -> None:
    """Only one of them: the others are the value's."""
    stdin(b"two\nlines\n\n")
    assert read_value(argument, as_json=False) == "two\nlines\n"
    stdin(b"windows\r\n")
    assert read_value(argument, as_json=False) == "windows"


def test_a_terminal_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person would wonder why nothing happens."""
    monkeypatch.setattr("sys.stdin", Terminal(io.BytesIO()))
    with pytest.raises(click.UsageError, match="No value"):
        read_value(None, as_json=False)


@pytest.mark.parametrize(
    ("data", "as_json", "reason"),
    [
        (b"\xff", False, "not UTF-8 at byte 0"),
        (b"x" * (MAX_MESSAGE_BYTES + 1), False, "more than 1,048,576 bytes"),
        (b"blue", True, "not JSON"),
        (b'{"a": 1, "a": 2}', True, "stands twice"),
    ],
)
def test_what_cannot_be_a_value_is_told(data: bytes, as_json: bool, reason: str, stdin: Any) -> None:
    """Before anything connects."""
    stdin(data)
    with pytest.raises(InvalidInput, match=reason):
        read_value(None, as_json=as_json)
