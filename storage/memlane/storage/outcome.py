"""What a sink says about each command of a batch, and about a sweep."""

from dataclasses import dataclass
from typing import Final, Literal, NamedTuple


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was done with one command.

    Attributes:
        decision: `applied`: it is what the sink now holds there (again, if it was a duplicate);
            `superseded`: a newer version was there; `refused`: this sink can never take it.
        reason: why it was refused.
        newer: the version that superseded it.
    """

    decision: Literal["applied", "superseded", "refused"]
    reason: str | None = None
    newer: str | None = None


APPLIED: Final = Outcome("applied")

BELOW_FLOOR: Final = Outcome(
    "refused", "it is so old that this sink may have forgotten a delete of it, and nothing is there any more"
)
"""Of a store below the sink's floor, where no live row is. It leaves no row."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did.

    Attributes:
        expired: live rows whose time had come.
        purged: rows removed because a scope mark covers them.
        corrected: whether the recounted bucket's digest was wrong, and was set right.
        damaged: the recounted bucket's rows that can't be trusted (see `memlane.storage.damage`), also where
            an earlier recount found them and nothing has taken their place since.
        more: whether there was more to do than the limit allowed.
        forgotten: deleted and expired rows, and marks, that were removed because they are below the floor.
    """

    expired: int = 0
    purged: int = 0
    corrected: bool = False
    damaged: int = 0
    more: bool = False
    forgotten: int = 0


class Recount(NamedTuple):
    """What a sink's recount of one bucket comes to.

    Attributes:
        corrected: whether its digest was wrong.
        damaged: its rows whose content can't be trusted.
        demoted: how many of them this recount has demoted.
    """

    corrected: bool = False
    damaged: int = 0
    demoted: int = 0
