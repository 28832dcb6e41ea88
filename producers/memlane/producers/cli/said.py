"""What was said on the command line for all commands: `--url`, `--json`, `--deadline` and the like.

The same options work before the command and behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeVar

import click
from pydantic import SecretStr

from memlane.producers.cli.parameters import Duration

MAX_DEADLINE: Final = timedelta(seconds=60)
"""Of a question: the wire's limit."""

# Any: a command's callback may take and return anything; click knows its parameters.
Callback = TypeVar("Callback", bound=Callable[..., Any])


@dataclass(slots=True)
class Said:
    """The global options. None: not said, the environment decides."""

    url: str | None = None
    deadline: timedelta | None = None
    log_level: str | None = None
    log_format: str | None = None
    json: bool = False
    debug: bool = False

    # Any: each setting is of its own type.
    def settings(self) -> dict[str, Any]:
        """What was said, by the name of the setting."""
        url = None if self.url is None else SecretStr(self.url)
        said = {
            "amqp_url": url,
            "deadline": self.deadline,
            "log_level": self.log_level,
            "log_format": self.log_format,
        }
        return {name: value for name, value in said.items() if value is not None}


def said_now() -> Said:
    """What was said for the command that runs; nothing, outside of one."""
    context = click.get_current_context(silent=True)
    found = None if context is None else context.find_object(Said)
    return found or Said()


def _keep(context: click.Context, parameter: click.Parameter, value: object) -> None:
    # Not said, here or before the command, changes nothing.
    if value is not None and value is not False:
        setattr(context.ensure_object(Said), str(parameter.name), value)


def url_option(callback: Callback) -> Callback:
    """`--url`."""
    return click.option(
        "--url",
        metavar="URL",
        help="The broker, instead of MEMLANE_AMQP_URL.",
        callback=_keep,
        expose_value=False,
    )(callback)


def json_option(callback: Callback) -> Callback:
    """`--json`, and (not shown in the help) `--debug`."""
    callback = click.option(
        "--debug", is_flag=True, hidden=True, callback=_keep, expose_value=False, is_eager=True
    )(callback)
    return click.option(
        "--json", is_flag=True, help="JSON Lines on stdout.", callback=_keep, expose_value=False
    )(callback)


def broker_options(callback: Callback) -> Callback:
    """`--url` and `--json`, for what only speaks to the broker."""
    return url_option(json_option(callback))


def client_options(callback: Callback) -> Callback:
    """The same and `--deadline`, for what a client does."""
    deadline = click.option(
        "--deadline",
        type=Duration(MAX_DEADLINE),
        metavar="TIME",
        help="How long to wait for answers and receipts; MEMLANE_DEADLINE, or 2s.",
        callback=_keep,
        expose_value=False,
    )
    return broker_options(deadline(callback))
