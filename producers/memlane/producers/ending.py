"""Ending tasks for certain."""

import asyncio
from typing import Any, Final

AGAIN_SECONDS: Final = 5.0
"""Longer than a task takes to clean up after a cancellation."""


# Any: what the tasks would have come to is of no interest.
async def end(*tasks: "asyncio.Future[Any]", again: float = AGAIN_SECONDS) -> None:
    """Cancels tasks, and returns when they have ended, however.

    A task that goes on is cancelled again: before Python 3.12 `asyncio.wait_for` swallows a cancellation
    that comes together with its result, and the drivers use it.

    Args:
        tasks: to be ended.
        again: after so many seconds.
    """
    while pending := [task for task in tasks if not task.done()]:
        for task in pending:
            task.cancel()
        await asyncio.wait(pending, timeout=again)
    await asyncio.gather(*tasks, return_exceptions=True)
