"""A stream as lines."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.producers.importers import lines
from memlane.producers.importers.lines import Line, read_lines


def read(data: bytes) -> list[Line]:
    """All lines of these bytes."""
    return list(read_lines(io.BytesIO(data)))


def test_blank_lines_are_counted_and_left_out() -> None:
    """So that a line's number is the one that an editor shows."""
    assert read(b"a\n\n  \r\n b \r\nc") == [Line(1, b"a", 2), Line(4, b"b", 12), Line(5, b"c", 13)]


def test_a_byte_order_mark_is_dropped() -> None:
    """Only in front of the first line."""
    assert [line.content for line in read(b"\xef\xbb\xbfa\n\xef\xbb\xbfb")] == [b"a", b"\xef\xbb\xbfb"]


def test_a_line_that_is_too_long_is_told_of_and_the_next_one_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without ever holding it."""
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 4)
    assert read(b"abcd\nabcdefghijklm\nab\n") == [Line(1, b"abcd", 5), Line(2, None, 19), Line(3, b"ab", 22)]
    assert read(b"abcdef") == [Line(1, None, 6)]


@given(st.lists(st.binary().filter(lambda line: b"\n" not in line)))
def test_every_line_is_read_once_and_the_end_is_the_end(content: list[bytes]) -> None:
    """Bytes read so far: what a progress bar needs."""
    data = b"\n".join(content)
    found = read(data)
    kept = [line.strip() for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    assert [line.content for line in found] == [line for line in kept if line]
    assert all(line.end <= len(data) for line in found)
