"""Which store this is, and how far it has come: by that a wiped or restored one is known."""

from typing import NamedTuple


class StoreIdentity(NamedTuple):
    """What a store says of itself.

    Attributes:
        incarnation: new whenever the store was made anew: the first time, or after it was wiped.
        changes: counts its effective changes; it never goes back by itself. A store that says less than it
            did before was restored from an older copy.
        floor: below this version it may have forgotten its deletes (see `Sink.sweep`); None: it keeps all.
    """

    incarnation: str
    changes: int
    floor: str | None = None
