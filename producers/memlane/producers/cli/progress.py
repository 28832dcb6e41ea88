"""While something takes its time: a bar on a terminal, now and then a line elsewhere. On stderr."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from memlane.producers.cli.output import note

LINE_EVERY_SECONDS: Final = 5.0

OnProgress = Callable[[int, int], None]
"""Told how many are done, and of how many."""


@contextmanager
def progress(doing: str) -> Iterator[OnProgress]:
    """Shows progress while it lasts. Yields what takes how many are done, of how many.

    Args:
        doing: what is done, such as `retrying`.
    """
    if not sys.stderr.isatty():
        yield _lines(doing)
        return
    columns = (TextColumn(doing), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(doing: str) -> OnProgress:
    due = time.monotonic() + LINE_EVERY_SECONDS

    def tell(done: int, total: int) -> None:
        nonlocal due
        if time.monotonic() >= due:
            due = time.monotonic() + LINE_EVERY_SECONDS
            note(f"{doing}: {done:,} of {total:,}")

    return tell
