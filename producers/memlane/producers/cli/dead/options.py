"""Options that choose parked messages, shared by `list`, `retry` and `drop`; and what both of those take."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final, TypeVar

import click

from memlane.producers.cli.dead.selection import Selection
from memlane.producers.cli.parameters import DURATION

# Any: a command's callback may take and return anything; click knows its parameters.
Callback = TypeVar("Callback", bound=Callable[..., Any])

_SELECTING: Final = (
    click.option("--error", "errors", multiple=True, metavar="CLASS", help="Of this class; repeatable."),
    click.option(
        "--older-than", type=DURATION, metavar="TIME", help="First failed longer ago than that, such as 2h."
    ),
    click.option("--newer-than", type=DURATION, metavar="TIME", help="First failed less long ago than that."),
)
_ACTING: Final = (
    click.option("--all", "everything", is_flag=True, help="Everything that is parked."),
    click.option(
        "--limit", type=click.IntRange(1), metavar="N", help="The most messages; the oldest are taken."
    ),
    click.option(
        "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="The most commands a second."
    ),
    click.option("--dry-run", is_flag=True, help="Say what would be done, and change nothing."),
)


def selecting_options(callback: Callback) -> Callback:
    """`--error`, `--older-than`, `--newer-than`."""
    return _with(_SELECTING, callback)


def acting_options(callback: Callback) -> Callback:
    """`--all`, `--limit`, `--rate`, `--dry-run`."""
    return _with(_ACTING, callback)


# Any: options as click makes them.
def _with(options: tuple[Callable[[Any], Any], ...], callback: Callback) -> Callback:
    for option in reversed(options):
        callback = option(callback)
    return callback


def selection_from(
    ids: tuple[str, ...],
    errors: tuple[str, ...],
    older_than: timedelta | None,
    newer_than: timedelta | None,
    *,
    everything: bool,
    every_command: bool = False,
) -> Selection:
    """The selection of what was said.

    Raises:
        click.UsageError: nothing was selected and `--all` not said, or both.
    """
    selection = Selection(
        ids=frozenset(ids),
        errors=frozenset(errors),
        older_than=older_than,
        newer_than=newer_than,
        every_command=every_command,
    )
    if selection.is_empty and not everything:
        raise click.UsageError("Which ones? Name ids, or --error, --older-than, --newer-than; or say --all.")
    if everything and not selection.is_empty:
        raise click.UsageError("--all means everything: leave it out, or the selection.")
    return selection
