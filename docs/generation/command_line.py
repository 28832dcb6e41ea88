"""The help pages of the command line."""

from collections.abc import Iterator
from typing import Final

import click

from docs.generation.markdown import generated, page
from memlane.producers.cli.main import cli

WIDTH: Final = 100


def command_line() -> str:
    """The page."""
    sections = [f"## {path}\n\n```text\n{text}\n```" for path, text in help_pages(cli, "memlane")]
    return page(
        "# The command line",
        generated("the commands' own help"),
        "What each command says to `--help`. The commands `up`, `worker`, `sink`, `access`, "
        "`backup`, `export` and `prune` come with `memlane[worker]`; all others with plain `memlane`.",
        *sections,
    )


def help_pages(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Each command's path (`memlane dead list`) and help, groups before what is in them."""
    context = click.Context(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        **command.context_settings,
    )
    with context:
        yield context.command_path, command.get_help(context).rstrip()
        if isinstance(command, click.Group):
            for below in command.list_commands(context):
                found = command.get_command(context, below)
                if found is not None and not found.hidden:
                    yield from help_pages(found, below, context)
