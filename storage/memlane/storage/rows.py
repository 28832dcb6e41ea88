"""What a sink keeps of the commands that it has decided: version rows and scope marks."""

from enum import IntEnum
from typing import NamedTuple

from memlane.contracts.address import Address


class Kind(IntEnum):
    """What a version row stands for. The numbers are stored."""

    LIVE = 1
    DELETED = 2
    EXPIRED = 3
    REFUSED = 4


class Head(NamedTuple):
    """A version row without its content. Heads of one address are ordered by (version, hash)."""

    version: str
    hash: str
    kind: Kind


class Scope(NamedTuple):
    """What a scope mark covers: a namespace and all below it, or (namespace None) a whole user."""

    user_id: str
    namespace: str | None


class Mark(NamedTuple):
    """Everything in the scope up to this version, itself included, is gone."""

    version: str
    hash: str


class Trace(NamedTuple):
    """A version row or a mark as the reconciler compares it.

    Attributes:
        place: the row's address, or the mark's scope.
        version: of the row or mark.
        hash: its command hash, as kept.
        kind: of the row; None for a mark.
        intact: False where what is kept does not give the hash that is kept: it is no source for others.
    """

    place: Address | Scope
    version: str
    hash: str
    kind: Kind | None
    intact: bool
