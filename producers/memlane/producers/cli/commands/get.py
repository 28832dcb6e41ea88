"""`memlane get`."""

import click

from memlane.contracts.address import Address
from memlane.contracts.limits import DEFAULT_NAMESPACE
from memlane.contracts.query import Consistency
from memlane.producers.cli.client import with_client
from memlane.producers.cli.errors import NotFound
from memlane.producers.cli.exit_codes import DONE
from memlane.producers.cli.formatting import entry_line, text_of
from memlane.producers.cli.output import as_json, write
from memlane.producers.cli.said import client_options
from memlane.producers.client.memory_client import MemoryClient


@click.command()
@click.argument("user")
@click.argument("key")
@click.option("--namespace", default=DEFAULT_NAMESPACE, show_default=True, metavar="PATH")
@click.option(
    "--consistency",
    type=click.Choice(["first", "all"]),
    default="first",
    show_default=True,
    help="Ask the preferred sink first, or all of them and take the newest.",
)
@client_options
def get(user: str, key: str, namespace: str, consistency: Consistency) -> None:
    """Write what is remembered at KEY of USER to stdout: text as it is, everything else as JSON.

    With --json, the whole entry. The exit code is 4 where nothing is there, 3 where nobody could say.
    """

    async def work(memory: MemoryClient) -> int:
        entry = await memory.get(user, key, namespace=namespace, consistency=consistency)
        if entry is None:
            raise NotFound(f"nothing is remembered at {Address(user, namespace, key)}")
        write(entry_line(entry) if as_json() else text_of(entry.value))
        return DONE

    with_client(work)
