"""`memlane import`."""

import click

from memlane.producers.cli.commands.import_jsonl import jsonl


@click.group("import")
def import_() -> None:
    """Bring in what others kept. An import can be repeated: it derives its versions from the source."""


import_.add_command(jsonl)
