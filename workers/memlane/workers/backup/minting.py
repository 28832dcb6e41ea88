"""New versions of one and the same instant: what is written after it wins."""

from memlane.contracts.version import successor


class Minting:
    """Makes versions that follow each other without a gap.

    Args:
        begin: the version behind which they begin; from a producer's clock.
    """

    def __init__(self, begin: str) -> None:
        self.begin = begin
        self._last = begin
        self._ahead = begin

    def after(self, floor: str) -> str:
        """A new version; newer than the floor, which may come from a clock that runs ahead."""
        if floor <= self._last:
            self._last = successor(self._last)
            return self._last
        self._ahead = successor(max(self._ahead, floor))
        return self._ahead
