"""Tables for people, tabs for programs."""

import io

import pytest

from memlane.producers.cli.output import write, write_table

ROWS = [("a", "", "x\ty\nz"), ("b", "", "[red]\x1b[2J")]


class Screen(io.StringIO):
    """A stdout that a person looks at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_programs_get_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a head; tabs and line ends in a cell are escaped."""
    write_table(("one", "two", "three"), ROWS)
    assert capsys.readouterr().out == "a\t\tx\\ty\\nz\nb\t\t[red]\\u001b[2J\n"


def test_people_get_a_table_without_empty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in a cell is obeyed: no markup, no escape sequence."""
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("TERM", "dumb")
    write_table(("one", "two", "three"), ROWS)
    shown = screen.getvalue()
    assert "one" in shown
    assert "two" not in shown
    assert "[red]\\u001b[2J" in shown
    assert "\x1b[2J" not in shown


def test_a_value_is_written_as_it_is_to_a_pipe_and_safely_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A pipe gets every byte."""
    write("\x1b[2Jblue")
    assert capsys.readouterr().out == "\x1b[2Jblue\n"
    screen = Screen()
    monkeypatch.setattr("sys.stdout", screen)
    write("\x1b[2Jblue")
    assert screen.getvalue() == "\\u001b[2Jblue\n"
