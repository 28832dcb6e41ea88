"""What people read: sections, facts with their timings, and checks."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text


class Page:
    """Writes to stdout, and remembers which checks failed."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self.failures: list[str] = []
        self._sections = 0

    @property
    def on_terminal(self) -> bool:
        """Whether a person looks at it."""
        return self.console.is_terminal

    def title(self, title: str) -> None:
        """What all of it is about."""
        self.console.print(Text(title, "bold cyan"))

    def section(self, title: str) -> None:
        """Begins a section."""
        self._sections += 1
        self.console.print()
        self.console.print(Text(f"{self._sections}  {title}", "bold"))

    def say(self, text: str) -> None:
        """A line of plain text."""
        self._line(" ", text, "")

    def check(self, holds: bool, text: str) -> None:
        """Something that must hold."""
        self._line("✓" if holds else "✗", text, "green" if holds else "bold red")
        if not holds:
            self.failures.append(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A few rows."""
        table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for index, column in enumerate(columns):
            table.add_column(column, justify="left" if index == 0 else "right", overflow="fold")
        for row in rows:
            table.add_row(*map(Text, row))
        self.console.print(Padding(table, (0, 0, 0, 3)))

    @contextmanager
    def timed(self) -> Iterator["Stopwatch"]:
        """Measures what happens inside."""
        watch = Stopwatch()
        yield watch
        watch.stop()

    def _line(self, mark: str, text: str, style: str) -> None:
        self.console.print(Text.assemble(" ", (mark, style), " ", text))


class Stopwatch:
    """Seconds since it was made, until it was stopped."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._stopped: float | None = None

    def stop(self) -> None:
        """Keeps the time."""
        self._stopped = time.perf_counter()

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self._stopped or time.perf_counter()) - self._started

    def __str__(self) -> str:
        return f"{self.seconds * 1000:.1f} ms" if self.seconds < 1 else f"{self.seconds:.1f} s"
