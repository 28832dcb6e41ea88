"""The hybrid logical clock that a producer takes versions from.

After Kulkarni et al., "Logical Physical Clocks" (2014), in the form of a UUIDv7: the physical part is
the 48 bits of milliseconds, the logical part the 74 bits behind it.
"""

import os
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from memlane.contracts.limits import MAX_CLOCK_AHEAD
from memlane.contracts.version import MAX_TAIL, TAIL_BITS, make_version, split_version

_AHEAD_MS: Final = MAX_CLOCK_AHEAD // timedelta(milliseconds=1)
_STEP_BITS: Final = 32
_FRESH_SHIFT: Final = 80 - TAIL_BITS + 1


def _wall_milliseconds() -> int:
    return time.time_ns() // 1_000_000


class HybridClock:
    """Yields strictly rising versions, newer than every version that it has seen.

    Args:
        milliseconds: the physical time since 1970; may stand still or go back, versions still rise.
        entropy: returns so many random bytes.
        last: the newest version that this producer used before, so that it rises across restarts. One that is
            over five minutes ahead counts as an error of the time before: no lane has taken it.

    Not safe for several threads; each client has its own.
    """

    def __init__(
        self,
        milliseconds: Callable[[], int] = _wall_milliseconds,
        entropy: Callable[[int], bytes] = os.urandom,
        last: str | None = None,
    ) -> None:
        self._milliseconds = milliseconds
        self._entropy = entropy
        self._last_ms, self._last_tail = (-1, 0)
        if last is not None:
            self.observe(last)

    def next(self) -> str:
        """A version that no producer has used, newer than all that this clock made or saw."""
        now = self._milliseconds()
        if now > self._last_ms:
            # The top bit starts at zero, so a millisecond has room for 2^41 further steps.
            self._last_ms, self._last_tail = now, int.from_bytes(self._entropy(10)) >> _FRESH_SHIFT
        else:
            self._advance(1 + int.from_bytes(self._entropy(_STEP_BITS // 8)))
        return make_version(self._last_ms, self._last_tail)

    def observe(self, version: str) -> bool:
        """Moves past a version seen in an answer or a receipt.

        Returns:
            False where it was ignored, being over five minutes ahead of this clock's own time: a
            clock that runs wild must not drag all others along.
        """
        seen = split_version(version)
        if seen[0] > self._milliseconds() + _AHEAD_MS:
            return False
        self._last_ms, self._last_tail = max((self._last_ms, self._last_tail), seen)
        return True

    def is_ahead(self, version: str) -> bool:
        """Whether a version is from after this clock's physical time."""
        return split_version(version)[0] > self._milliseconds()

    @property
    def last(self) -> str | None:
        """The newest version made or seen; None before the first."""
        return make_version(self._last_ms, self._last_tail) if self._last_ms >= 0 else None

    def _advance(self, step: int) -> None:
        if self._last_tail + step > MAX_TAIL:
            self._last_ms, self._last_tail = self._last_ms + 1, step
        else:
            self._last_tail += step


def milliseconds_ahead(version: str, now_ms: int) -> int:
    """How far a version is beyond the five minutes that are allowed; 0 or less is allowed."""
    return split_version(version)[0] - now_ms - _AHEAD_MS
