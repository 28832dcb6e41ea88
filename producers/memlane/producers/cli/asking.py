"""Asking before something is destroyed."""

import sys

import click


def confirm(question: str, *, yes: bool) -> None:
    """Returns if it may be done: `--yes` was given, or a person says so.

    Raises:
        click.UsageError: there is nobody to ask.
        click.Abort: it may not.
    """
    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("This can't be undone, and there is no terminal to ask on: say --yes.")
    click.confirm(question, abort=True, err=True)
