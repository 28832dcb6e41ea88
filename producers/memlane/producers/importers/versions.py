"""Which version an imported entry gets: derived from its source, so that an import can be repeated.

The time is the source's own: the entry's, or the instant that the whole source is from, or, where neither is
known, 1970: an entry of unknown age is older than anything whose age is known. Within one instant a later
line is newer. The rest of the 74 bits is a hash of the line, so that other sources' versions are others.
See docs/decisions/0010-import-versions.md.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from memlane.contracts.instants import to_microseconds
from memlane.contracts.version import TAIL_BITS, make_version

LINE_BITS: Final = 40
"""A trillion lines."""

HASH_BITS: Final = TAIL_BITS - LINE_BITS
UNKNOWN_AGE: Final = datetime(1970, 1, 1, tzinfo=UTC)

_LINE_MASK: Final = (1 << LINE_BITS) - 1
_HASH_BYTES: Final = 8


def derived_version(instant: datetime, line: int, content: bytes) -> str:
    """The version of an entry that has none.

    Args:
        instant: what it is from, 1970 or later; counts to the millisecond.
        line: its place in the source, from 1: of two with the same instant, the later one is newer.
        content: what the source says of it; other content, other version.
    """
    digest = blake2b(content, digest_size=_HASH_BYTES).digest()
    tail = (line & _LINE_MASK) << HASH_BITS | int.from_bytes(digest) >> (8 * _HASH_BYTES - HASH_BITS)
    return make_version(to_microseconds(instant) // 1000, tail)
