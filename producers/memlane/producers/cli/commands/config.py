"""`memlane config`."""

import os
from dataclasses import asdict

import click

from memlane.producers.cli.client import finish
from memlane.producers.cli.configuration.effective import effective, problems
from memlane.producers.cli.configuration.kinds import settings_kinds
from memlane.producers.cli.exit_codes import FAILED
from memlane.producers.cli.output import as_json, write, write_record, write_table
from memlane.producers.cli.said import broker_options, json_option


@click.group()
def config() -> None:
    """Show or check the settings, which come from the environment."""


@config.command()
@broker_options
def show() -> None:
    """Show every setting as it takes effect, and where it comes from. Passwords are masked.

    Elsewhere than on a terminal a line a setting: who it is for, variable, value, where from, meaning, with
    tabs between them.
    """
    settings = effective(settings_kinds())
    if as_json():
        for setting in settings:
            write_record(asdict(setting))
        return
    columns = ("for", "variable", "value", "from", "meaning")
    write_table(columns, [(s.section, s.variable, s.value, s.source, s.meaning) for s in settings])


@config.command()
@json_option
def check() -> None:
    """Check the environment: values that can't work, and MEMLANE_ variables that mean nothing.

    Asks nobody: for the broker, see `memlane topology check`. Exit code 1 if something is wrong.
    """
    found = problems(settings_kinds(), os.environ)
    if as_json():
        write_record({"ok": not found, "problems": found})
    else:
        for problem in found:
            write(problem)
        if not found:
            write("all settings can work")
    if found:
        finish(FAILED)
