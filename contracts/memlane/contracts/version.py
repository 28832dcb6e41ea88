"""Versions: UUIDv7 (RFC 9562, section 5.7) as lower-case text, ordered by time and then by a counter.

48 bits of milliseconds since 1970, 4 bits `7`, 12 bits and (after 2 bits variant) 62 bits that rise
within a millisecond. Here the 74 bits are handled as one number, the *tail*.
"""

from datetime import datetime
from typing import Final

from memlane.contracts.instants import from_microseconds

TAIL_BITS: Final = 74
MAX_TAIL: Final = (1 << TAIL_BITS) - 1
MAX_MILLISECONDS: Final = (1 << 48) - 1
_LOW_BITS: Final = 62
_LOW_MASK: Final = (1 << _LOW_BITS) - 1
_VARIANT: Final = 0b10 << _LOW_BITS


def make_version(milliseconds: int, tail: int) -> str:
    """The version of a time (0 to 2^48 - 1 milliseconds) and a tail (0 to 2^74 - 1)."""
    low = f"{_VARIANT | (tail & _LOW_MASK):016x}"
    time = f"{milliseconds:012x}"
    return f"{time[:8]}-{time[8:]}-7{tail >> _LOW_BITS:03x}-{low[:4]}-{low[4:]}"


def split_version(version: str) -> tuple[int, int]:
    """The milliseconds and the tail of a version. The inverse of `make_version`."""
    tail = (int(version[15:18], 16) << _LOW_BITS) | (int(version[19:23] + version[24:], 16) & _LOW_MASK)
    return version_milliseconds(version), tail


def version_milliseconds(version: str) -> int:
    """Milliseconds since 1970 at which the version was made, by its producer's clock."""
    return int(version[:8] + version[9:13], 16)


def version_instant(version: str) -> datetime:
    """The instant at which the version was made, in UTC, to the millisecond."""
    return from_microseconds(version_milliseconds(version) * 1000)


def successor(version: str) -> str:
    """The very next version: newer than this one, older than every other that is newer."""
    milliseconds, tail = split_version(version)
    return make_version(milliseconds, tail + 1) if tail < MAX_TAIL else make_version(milliseconds + 1, 0)
