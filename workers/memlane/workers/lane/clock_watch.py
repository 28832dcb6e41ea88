"""Whose clock is wrong: a producer's, or this worker's?"""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final

_WINDOW: Final = timedelta(minutes=1)
_MIN_PRODUCERS: Final = 2
MAX_PRODUCERS: Final = 1000
"""That are remembered of each kind."""


class ClockWatch:
    """Notices when several producers at once are ahead of this worker: then the worker is behind.

    One producer that is ahead has a wrong clock itself, and its commands are parked.
    """

    def __init__(self) -> None:
        self._ahead: dict[Hashable, datetime] = {}
        self._in_time: dict[Hashable, datetime] = {}

    def saw(self, producer: Hashable, *, ahead: bool, now: datetime) -> None:
        """Notes a message of a producer."""
        here, there = (self._ahead, self._in_time) if ahead else (self._in_time, self._ahead)
        here.pop(producer, None)
        here[producer] = now
        there.pop(producer, None)
        # Whoever a message says that it comes from: the oldest are forgotten.
        while here and now - next(iter(here.values())) > _WINDOW:
            del here[next(iter(here))]
        while len(here) > MAX_PRODUCERS:
            del here[next(iter(here))]

    def worker_is_behind(self, now: datetime) -> bool:
        """Whether two or more producers, and most of those seen lately, are ahead."""
        ahead = sum(now - seen <= _WINDOW for seen in self._ahead.values())
        in_time = sum(now - seen <= _WINDOW for seen in self._in_time.values())
        return ahead >= _MIN_PRODUCERS and ahead > in_time
