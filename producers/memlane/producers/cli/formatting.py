"""How entries, instants and sizes look. Pure functions."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from memlane.contracts.canonical import Json
from memlane.contracts.entry import Entry, encode_entry
from memlane.contracts.instants import to_text

WIDTH: Final = 60
"""Characters of a value in a table."""

_LINE_ENDS: Final = frozenset("\n\t")
_C1_END: Final = 0xA0
_DELETE: Final = 0x7F


def text_of(value: Json) -> str:
    """A value for people: text as it is, everything else as JSON."""
    return value if isinstance(value, str) else to_json(value)


def to_json(value: Json) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def printable(text: str) -> str:
    """The text with control characters made visible: a stored value must not steer the terminal.

    As JSON escapes them, so that JSON text stays JSON, and means the same.
    """
    if text.isprintable():
        return text
    return "".join(_visible(c) if _is_control(c) and c not in _LINE_ENDS else c for c in text)


def one_line(text: str) -> str:
    """The text with line ends and tabs made visible, too: one cell of one line."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def shortened(text: str, width: int = WIDTH) -> str:
    """The text in one line of at most so many characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= width else line[: width - 1] + "…"


def local_time(instant: datetime | None) -> str:
    """An instant for people, in local time to the second."""
    return "" if instant is None else f"{instant.astimezone():%Y-%m-%d %H:%M:%S}"


def utc_time(instant: datetime | None) -> str:
    """An instant for programs: RFC 3339 in UTC."""
    return "" if instant is None else to_text(instant.astimezone(UTC))


# Any: what JSON can say.
def entry_line(entry: Entry, more: Mapping[str, Any] | None = None) -> str:
    """An entry as one line of JSON, its value as it was kept; with further fields behind."""
    line = encode_entry(entry)
    return line if not more else f"{line[:-1]},{to_json(dict(more))[1:]}"


def count_of(number: int, noun: str, plural: str = "") -> str:
    """`1 entry`, `4,271 entries`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def size_of(count: int | None) -> str:
    """Bytes for people; empty where they are not known."""
    if count is None:
        return ""
    size = float(count)
    for unit in ("B", "KiB", "MiB"):
        if size < 1024:  # noqa: PLR2004
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} GiB"


def _visible(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _is_control(character: str) -> bool:
    point = ord(character)
    return point < ord(" ") or _DELETE <= point < _C1_END
