"""Running a plan from the command line."""

import click
import uvloop

from memlane.contracts.errors import ConfigurationError
from memlane.producers.cli.options import settings_from
from memlane.storage.settings import SinkSettings
from memlane.workers.service import Plan, serve
from memlane.workers.settings import WorkerSettings


def worker_settings(sinks: str | None = None) -> WorkerSettings:
    """The settings from the environment, with what was said on the command line.

    Raises:
        ConfigurationError: names the variable that can't work.
    """
    return settings_from(WorkerSettings, sinks=sinks)


def run_plan(plan: Plan, settings: WorkerSettings) -> None:
    """Runs until SIGTERM or SIGINT."""
    for name in plan.sinks:
        if name not in settings.sink_names:
            known = ", ".join(settings.sink_names)
            raise ConfigurationError(f"{name!r} is not in MEMLANE_SINKS", hint=f"there are: {known}")
    sink_settings = settings_from(SinkSettings)
    click.echo(f"memlane: starting ({', '.join(settings.sink_names)}); Ctrl-C stops it", err=True)
    uvloop.run(serve(plan, settings, sink_settings))
