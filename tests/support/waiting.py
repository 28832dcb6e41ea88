"""Waiting for something to become true, instead of sleeping for so long that it usually is."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

SOON: Final = timedelta(seconds=10)
"""Much longer than anything here takes; only a test that fails waits so long."""

_STEP_SECONDS: Final = 0.01

Condition = Callable[[], bool] | Callable[[], Awaitable[bool]]


async def wait_until(condition: Condition, description: str, timeout: timedelta = SOON) -> None:
    """Returns when the condition holds.

    Args:
        condition: asked again and again; may be a coroutine function.
        description: what is waited for, as the failure says it.
        timeout: fails after that.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while not await _holds(condition):
        if loop.time() >= deadline:
            raise AssertionError(f"waited {timeout.total_seconds():g} s in vain until {description}")
        await asyncio.sleep(_STEP_SECONDS)


async def _holds(condition: Condition) -> bool:
    answer = condition()
    return answer if isinstance(answer, bool) else await answer
