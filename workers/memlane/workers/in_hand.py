"""What a role is working on, so that it can finish it before it ends."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from types import TracebackType


class InHand:
    """Counts pieces of work. Used as a context manager around each of them."""

    def __init__(self) -> None:
        self._count = 0
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

    async def finish(self, within: timedelta) -> None:
        """Returns when there is nothing in hand, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within.total_seconds()):
                await self._none.wait()
