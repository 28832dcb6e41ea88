"""Which command is whose: one table, and what other packages add to it. Loaded when used, not before."""

from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Final

import click

from memlane.contracts.errors import ConfigurationError, MemlaneError
from memlane.producers.cli.exit_codes import BROKEN_PIPE
from memlane.producers.cli.extras import check_extras

ENTRY_POINT_GROUP: Final = "memlane.commands"
_HERE: Final = "memlane.producers.cli.commands"

OWN: Final[Mapping[str, str]] = MappingProxyType(
    {
        "store": f"{_HERE}.store:store",
        "get": f"{_HERE}.get:get",
        "delete": f"{_HERE}.delete:delete",
        "forget": f"{_HERE}.forget:forget",
        "list": f"{_HERE}.list:list_",
        "search": f"{_HERE}.search:search",
        "status": f"{_HERE}.status:status",
        "outbox": f"{_HERE}.outbox:outbox",
        "dead": f"{_HERE}.dead:dead",
        "topology": f"{_HERE}.topology:topology",
        "config": f"{_HERE}.config:config",
        "import": f"{_HERE}.imports:import_",
    }
)


class Routes(click.Group):
    """The group of all commands, in the order of the table; those of other packages first."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """See `click.Group`."""
        return [*_added(), *OWN]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """See `click.Group`. A command that can't be loaded is there all the same, and says why."""
        if cmd_name in OWN:
            return _load(OWN[cmd_name])
        found = _added().get(cmd_name)
        return None if found is None else _load_added(cmd_name, found)

    def invoke(self, ctx: click.Context) -> object:
        """See `click.Group`."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise click.exceptions.Exit(BROKEN_PIPE) from None


def _added() -> dict[str, EntryPoint]:
    return {found.name: found for found in entry_points(group=ENTRY_POINT_GROUP)}


def _load(route: str) -> click.Command:
    module, _, name = route.partition(":")
    found = getattr(import_module(module), name)
    if not isinstance(found, click.Command):
        raise TypeError(f"{route} is not a command")
    return found


def _load_added(name: str, found: EntryPoint) -> click.Command:
    try:
        check_extras(f"`memlane {name}`", found)
        return _load(f"{found.module}:{found.attr}")
    except MemlaneError as error:
        return _stand_in(name, error)
    except ImportError as error:
        package = found.dist.name if found.dist else found.module
        return _stand_in(
            name,
            ConfigurationError(f"`memlane {name}` can't be loaded: {error}", hint=f"reinstall {package}"),
        )


def _stand_in(name: str, error: MemlaneError) -> click.Command:
    """A command that takes anything, and only says why it is not there."""

    def explain(**_ignored: object) -> None:
        raise error

    return click.Command(
        name,
        params=[click.Argument(["ignored"], nargs=-1, type=click.UNPROCESSED)],
        callback=explain,
        help=f"Not available: {error.message}. To do: {error.hint}",
        short_help=f"Not available: {error.hint}",
        context_settings={
            "ignore_unknown_options": True,
            "allow_interspersed_args": False,
            "help_option_names": [],
        },
    )
