"""While an import runs, on stderr: a bar on a terminal, and the bad lines."""

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from memlane.producers.cli.formatting import shortened
from memlane.producers.cli.output import note
from memlane.producers.importers.jsonl import BadLine

MAX_TOLD: Final = 20
"""Bad lines that are told of one by one."""

_WIDTH: Final = 300


@contextmanager
def progress_bar(source: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A bar on stderr while it lasts, if that is a terminal. Yields what takes how many bytes were read."""
    if not sys.stderr.isatty():
        yield lambda _end: None
        return
    columns = (TextColumn("importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        task = progress.add_task("importing", total=_size_of(source))
        yield lambda end: progress.update(task, completed=end)


class BadLines:
    """Tells of the first bad lines, and at the end how many more there were."""

    def __init__(self) -> None:
        self._count = 0

    def tell(self, line: BadLine) -> None:
        """One bad line: its number, the field, and the reason."""
        self._count += 1
        if self._count <= MAX_TOLD:
            note(f"line {line.number}: {shortened(str(line.error), _WIDTH)}")

    def finish(self) -> None:
        """Says how many were not told of."""
        if self._count > MAX_TOLD:
            note(f"… and {self._count - MAX_TOLD:,} more bad lines")


def _size_of(source: BinaryIO) -> int | None:
    """Bytes in all; None for a pipe."""
    try:
        found = os.fstat(source.fileno())
    except OSError:
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None
