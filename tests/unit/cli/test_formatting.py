"""How things look, and that a stored value can't steer a terminal."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.entry import Entry
from memlane.producers.cli.formatting import (
    count_of,
    entry_line,
    one_line,
    printable,
    shortened,
    size_of,
    text_of,
    to_json,
    utc_time,
)


@given(st.text())
def test_no_control_character_gets_through(text: str) -> None:
    """But line ends and tabs do."""
    shown = printable(text)
    assert not [c for c in shown if c not in "\n\t" and (ord(c) < 32 or 127 <= ord(c) < 160)]


def test_an_escape_sequence_is_shown_and_not_obeyed() -> None:
    """It would clear the screen."""
    assert printable("\x1b[2J") == "\\u001b[2J"


@given(st.text())
def test_one_line_is_one_cell_of_one_line(text: str) -> None:
    """Whatever is in it."""
    assert not set(one_line(text)) & set("\n\t\r\x0b\x0c\x85")


@given(st.text())
def test_json_stays_json_and_means_the_same(value: str) -> None:
    """A cell of a table can be read back."""
    assert json.loads(one_line(to_json({"v": value}))) == {"v": value}


@given(st.text(), st.integers(2, 100))
def test_what_is_shortened_fits(text: str, width: int) -> None:
    """In one line of so many characters."""
    short = shortened(text, width)
    assert len(short) <= width
    assert "\n" not in short


@pytest.mark.parametrize(
    ("value", "text"), [("blue", "blue"), ({"a": [1, "é"]}, '{"a":[1,"é"]}'), (None, "null"), (1.5, "1.5")]
)
def test_text_is_shown_as_it_is_and_everything_else_as_json(value: object, text: str) -> None:
    """For people."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(None, ""), (0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (9 << 40, "9216.0 GiB")]
)
def test_sizes(count: int | None, text: str) -> None:
    """With their unit."""
    assert size_of(count) == text


def test_counts_have_the_right_number() -> None:
    """And thousands are set apart."""
    assert count_of(1, "entry", "entries") == "1 entry"
    assert count_of(4271, "entry", "entries") == "4,271 entries"
    assert count_of(0, "line") == "0 lines"


def test_instants_for_programs_are_utc() -> None:
    """Whatever zone they came in."""
    assert utc_time(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000000Z"
    assert utc_time(None) == ""


def test_an_entrys_line_can_carry_more() -> None:
    """Such as a search's score."""
    entry = Entry.model_validate(
        {
            "user_id": "u",
            "namespace": "n",
            "key": "k",
            "version": "01890a5d-ac96-774b-bcce-b302099a8057",
            "value": {"big": 12345678901234567890},
            "created_at": datetime(2026, 1, 1, tzinfo=UTC),
        }
    )
    line = entry_line(entry, {"score": 0.5})
    assert line.endswith(',"score":0.5}')
    assert '"value":{"big":12345678901234567890}' in line
    assert "score" not in entry_line(entry)
