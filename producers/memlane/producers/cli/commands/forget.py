"""`memlane forget`."""

import click

from memlane.producers.cli.asking import confirm
from memlane.producers.cli.client import with_client
from memlane.producers.cli.parameters import WAIT
from memlane.producers.cli.receipts import tell_receipt
from memlane.producers.cli.said import client_options
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait


@click.command()
@click.argument("user")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--wait",
    type=WAIT,
    default="broker",
    show_default=True,
    metavar="outbox|broker|any|all|SINK,SINK",
    help="Until who has it.",
)
@client_options
def forget(user: str, yes: bool, wait: Wait) -> None:
    """Forget everything of USER. Asks first.

    What was deleted stays in the command log, in queues and in backups until their own retention ends.
    """
    confirm(f"Forget everything of {user}, in all namespaces?", yes=yes)

    async def work(memory: MemoryClient) -> int:
        return tell_receipt(await memory.forget(user, wait=wait), wait, f"forgot everything of {user}")

    with_client(work, writes=True)
