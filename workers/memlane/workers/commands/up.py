"""`memlane up`."""

import click

from memlane.producers.cli.said import url_option
from memlane.workers.commands.running import run_plan, worker_settings
from memlane.workers.service import everything


@click.command()
@click.option("--sinks", help="Comma-separated, instead of MEMLANE_SINKS.", metavar="NAMES")
@url_option
def up(sinks: str | None) -> None:
    """Run every role in one process, until Ctrl-C or SIGTERM."""
    settings = worker_settings(sinks)
    run_plan(everything(settings), settings)
