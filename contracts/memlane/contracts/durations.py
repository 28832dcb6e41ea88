"""Durations as people write them: `30s`, `5m`, `2h`, `7d`, `1h30m`."""

import re
from datetime import timedelta
from typing import Annotated, Final

from pydantic import BeforeValidator

_UNITS: Final = {
    "ms": timedelta(milliseconds=1),
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_PART: Final = r"(\d+(?:\.\d+)?)(ms|[smhdw])"
_WHOLE: Final = re.compile(f"(?:{_PART})+", re.ASCII)
_EACH: Final = re.compile(_PART, re.ASCII)
RULE: Final = "a number and a unit (ms, s, m, h, d, w), such as 30s, 5m, 2h, 7d or 1h30m"


def parse_duration(text: str) -> timedelta:
    """The duration that a text says.

    Raises:
        ValueError: it is not one, or longer than some 2.7 million years.
    """
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text!r} is not a duration: {RULE}")
    try:
        return sum((float(number) * _UNITS[unit] for number, unit in _EACH.findall(text)), timedelta())
    except OverflowError:
        raise ValueError(f"{text!r} is too long") from None


def _from_text(value: object) -> object:
    """What is not written like that is left to pydantic, which knows ISO 8601."""
    return parse_duration(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


Duration = Annotated[timedelta, BeforeValidator(_from_text)]
"""Takes what `parse_duration` takes, and ISO 8601 or `HH:MM:SS`."""
