"""Instants: aware datetimes outside, whole microseconds since 1970 (UTC) where they are stored."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, WithJsonSchema

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
_RULE: Final = "an instant is RFC 3339 text with an offset, such as 2026-01-31T08:30:00Z"


def to_microseconds(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00:00Z. Negative before that."""
    return (instant - _EPOCH) // _MICROSECOND


def from_microseconds(microseconds: int) -> datetime:
    """The instant in UTC. The inverse of `to_microseconds`, exact."""
    return _EPOCH + microseconds * _MICROSECOND


def to_text(instant: datetime) -> str:
    """RFC 3339 in UTC, such as `2026-01-31T08:30:00.125000Z`."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def _from_text(value: object) -> object:
    """The datetime of a text. A datetime is left as it is."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValueError(_RULE)
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{error}: {_RULE}") from None


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("an instant must be in the years 1 to 9999 in UTC") from None


Instant = Annotated[
    AwareDatetime,
    BeforeValidator(_from_text),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""RFC 3339 text with an offset on the wire, UTC in memory. Numbers and naive datetimes are refused."""
