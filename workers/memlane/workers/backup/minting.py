"""New versions of one and the same instant: what is written after it wins."""

from memlane.contracts.version import successor, version_milliseconds


class Minting:
    """Makes versions that follow each other without a gap.

    Args:
        begin: the version behind which they begin; from a producer's clock.
    """

    def __init__(self, begin: str) -> None:
        self._milliseconds = version_milliseconds(begin)
        self._last = begin
        self._ahead = begin

    def after(self, floor: str) -> str:
        """A new version; newer than the floor (empty: none), which may be of a clock that runs ahead."""
        if not floor or version_milliseconds(floor) <= self._milliseconds:
            self._last = successor(max(self._last, floor))
            return self._last
        self._ahead = successor(max(self._ahead, floor))
        return self._ahead
