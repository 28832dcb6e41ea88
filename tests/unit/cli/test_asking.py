"""Before something is destroyed."""

import io

import click
import pytest

from memlane.producers.cli.asking import confirm
from memlane.producers.cli.main import run
from tests.unit.cli.test_values import Terminal


def test_yes_asks_nobody() -> None:
    """It was said."""
    confirm("Really?", yes=True)


def test_without_a_terminal_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With exit code 2, before anything connects."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"y\n")))
    assert run(["forget", "u"]) == 2
    assert run(["delete", "u", "--namespace", "n", "--all"]) == 2
    assert "say --yes" in capsys.readouterr().err


@pytest.mark.parametrize(("answer", "may"), [(b"y\n", True), (b"n\n", False), (b"\n", False), (b"", False)])
def test_a_person_is_asked(answer: bytes, may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything but yes is no."""
    monkeypatch.setattr("sys.stdin", Terminal(io.BytesIO(answer)))
    if may:
        confirm("Really?", yes=False)
        return
    with pytest.raises(click.Abort):
        confirm("Really?", yes=False)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["delete", "u"], "Give a KEY"),
        (["delete", "u", "k", "--namespace", "n", "--all", "--yes"], "not both"),
        (["delete", "u", "--all", "--yes"], "never means more than what is said"),
    ],
)
def test_a_delete_never_means_more_than_was_said(
    arguments: list[str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is missing does not widen it."""
    assert run(arguments) == 2
    assert reason in capsys.readouterr().err
