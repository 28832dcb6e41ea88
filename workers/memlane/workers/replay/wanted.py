"""What somebody wants replayed: from where, up to where, how fast."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from aio_pika.abc import AbstractConnection
from pydantic import TypeAdapter, ValidationError

from memlane.contracts.durations import parse_duration
from memlane.contracts.errors import InvalidInput
from memlane.contracts.instants import Instant, now
from memlane.contracts.topology import LOG
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.stream import position_at

_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)
_RULE: Final = "`first`, how long ago (1h, 7d), an instant (2026-01-31T08:30:00Z), or an offset in the log"

Point = int | datetime
"""A place in the log: an offset, or a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A stretch of the log as it was said.

    Attributes:
        begin: `first`, a duration, an instant or an offset.
        until: likewise; None: up to now.
        rate: the most commands a second.
    """

    begin: str
    until: str | None = None
    rate: float | None = None

    def __str__(self) -> str:
        return f"from {self.begin}" + (f" until {self.until}" if self.until is not None else "")

    @property
    def is_whole(self) -> bool:
        """Whether it is all that there is."""
        return self.begin == "first" and self.until is None


def point_of(text: str, field: str) -> Point:
    """A place in the log, as it was said.

    Raises:
        InvalidInput: it is none.
    """
    if text == "first":
        return 0
    if text.isascii() and text.isdigit():
        return int(text)
    try:
        return now() - _ago(text)
    except ValueError:
        pass
    try:
        return _INSTANT.validate_python(text)
    except ValidationError:
        raise InvalidInput(field, f"{text!r} is no place in the log", hint=f"say {_RULE}") from None


async def offset_of(connection: AbstractConnection, publisher: Publisher, point: Point) -> int:
    """The offset of a place in the log. Of a time: of the chunk that was written then, or next after it.

    Raises:
        BrokerError: the log can't be read.
    """
    if isinstance(point, int):
        return point
    return await position_at(connection, publisher, LOG, point)


def _ago(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except OverflowError as error:
        raise ValueError(str(error)) from error
