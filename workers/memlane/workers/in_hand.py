"""What a role is working on: bounded, and finished before it ends."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Final

MAX_IN_HAND: Final = 1000
"""Messages of questions: what comes on top of them could only be answered too late."""

OVERLOADED: Final = "more questions than can be answered: some are dropped, their askers hear nothing"


class InHand:
    """Counts pieces of work. Used as a context manager around each of them."""

    def __init__(self) -> None:
        self._count = 0
        self._was_full = False
        self._none = asyncio.Event()
        self._none.set()

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._count -= 1
        if self._count == 0:
            self._none.set()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another one."""
        return self._count >= MAX_IN_HAND

    def begins_to_be_full(self) -> bool:
        """Whether it is full, and was not when asked before: to be said once, not a thousand times."""
        was_full, self._was_full = self._was_full, self.is_full
        return self._was_full and not was_full

    async def finish(self, within: timedelta) -> None:
        """Returns when there is nothing in hand, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._none.wait()
