"""Waiting for a condition, within bounds."""

import time
from collections.abc import Callable
from datetime import timedelta

STEP = timedelta(milliseconds=20)


def wait_until(condition: Callable[[], bool], *, within: timedelta) -> bool:
    """Ask again and again until the answer is yes; tells whether it came in time."""
    deadline = time.monotonic() + within.total_seconds()
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(STEP.total_seconds())
    return True
