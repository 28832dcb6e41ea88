"""The names of sinks, as they are said on the command line."""

import click

from memlane.producers.settings import BrokerSettings


def check_sink(settings: BrokerSettings, name: str | None, hint: str = "SINK") -> None:
    """Checks the name of a sink; None is none.

    Args:
        settings: which sinks there are.
        name: what was said.
        hint: the parameter by which it was said.

    Raises:
        click.BadParameter: the deployment has no such sink.
    """
    if name is not None and name not in settings.sink_names:
        known = ", ".join(settings.sink_names)
        raise click.BadParameter(f"{name!r} is not in MEMLANE_SINKS; there are: {known}", param_hint=hint)
