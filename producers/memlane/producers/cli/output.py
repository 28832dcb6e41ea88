"""Writing: data to stdout, everything else to stderr."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from memlane.producers.cli.formatting import one_line, printable, to_json
from memlane.producers.cli.said import said_now


def as_json() -> bool:
    """Whether `--json` was said."""
    return said_now().json


def on_terminal() -> bool:
    """Whether a person looks at stdout."""
    return sys.stdout.isatty()


def write(text: str) -> None:
    """One text to stdout, as it is; on a terminal without what would steer it."""
    # Without color=True, click takes escape sequences out of what goes to a pipe: out of somebody's value.
    click.echo(printable(text) if on_terminal() else text, color=True)


# Any: what JSON can say.
def write_record(record: Mapping[str, Any]) -> None:
    """One line of JSON to stdout."""
    click.echo(to_json(dict(record)))


def write_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table on a terminal, without its empty columns; elsewhere a line a row, with tabs and no head."""
    if not on_terminal():
        for row in rows:
            click.echo("\t".join(map(one_line, row)))
        return
    kept = list(rows)
    shown = [index for index in range(len(columns)) if any(row[index] for row in kept)]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for index in shown:
        table.add_column(columns[index], overflow="fold")
    for row in kept:
        table.add_row(*(Text(printable(row[index])) for index in shown))
    Console(file=sys.stdout).print(table)


def note(text: str) -> None:
    """One line for people, to stderr."""
    click.echo(printable(text), err=True)
