"""A stream of bytes as lines, without ever holding more than one."""

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

MAX_LINE_BYTES: Final = 8 * 1024 * 1024
"""Room for the largest command, written as wastefully as JSON allows."""

_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """One line.

    Attributes:
        number: from 1.
        content: without the white space around it; None where the line is longer than 8 MiB.
        end: how many bytes of the stream were read so far.
    """

    number: int
    content: bytes | None
    end: int


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines that are not blank. A byte order mark in front of the first is dropped."""
    number = end = 0
    while data := stream.readline(MAX_LINE_BYTES + 1):
        number += 1
        end += len(data)
        if len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
            end += _skip_line(stream)
            yield Line(number, None, end)
            continue
        if number == 1:
            data = data.removeprefix(_BYTE_ORDER_MARK)
        if content := data.strip():
            yield Line(number, content, end)


def _skip_line(stream: BinaryIO) -> int:
    """Reads up to the end of the line; returns how many bytes that were."""
    skipped = 0
    while data := stream.readline(MAX_LINE_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
