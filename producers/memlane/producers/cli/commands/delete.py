"""`memlane delete`."""

import click

from memlane.contracts.address import Address
from memlane.contracts.limits import DEFAULT_NAMESPACE
from memlane.producers.cli.asking import confirm
from memlane.producers.cli.client import with_client
from memlane.producers.cli.parameters import WAIT
from memlane.producers.cli.receipts import tell_receipt
from memlane.producers.cli.said import client_options
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait


@click.command()
@click.argument("user")
@click.argument("key", required=False)
@click.option(
    "--namespace", metavar="PATH", help="Of KEY, by default `default`; or, with --all, what to delete."
)
@click.option(
    "--all", "everything", is_flag=True, help="Delete the whole namespace, and all below it. Asks first."
)
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
def delete(
    *, user: str, key: str | None, namespace: str | None, everything: bool, yes: bool, wait: Wait
) -> None:
    """Forget what is at KEY of USER; or, with --namespace PATH --all, everything in that namespace.

    For everything of a user, see `memlane forget`.
    """  # fmt: skip
    if everything:
        _delete_namespace(user, key, namespace, yes, wait)
    elif key is None:
        raise click.UsageError("Give a KEY; or --namespace PATH --all, for a whole namespace.")
    else:
        _delete_address(Address(user, namespace or DEFAULT_NAMESPACE, key), wait)


def _delete_address(address: Address, wait: Wait) -> None:
    async def work(memory: MemoryClient) -> int:
        receipt = await memory.delete(address.user_id, address.key, namespace=address.namespace, wait=wait)
        return tell_receipt(receipt, wait, f"deleted {address}")

    with_client(work, writes=True)


def _delete_namespace(user: str, key: str | None, namespace: str | None, yes: bool, wait: Wait) -> None:
    if key is not None:
        raise click.UsageError("Give a KEY or --all, not both.")
    if namespace is None:
        raise click.UsageError("--all needs --namespace PATH: it never means more than what is said.")
    confirm(f"Delete everything of {user} in {namespace} and below?", yes=yes)

    async def work(memory: MemoryClient) -> int:
        receipt = await memory.delete_namespace(user, namespace, wait=wait)
        return tell_receipt(receipt, wait, f"deleted everything of {user} in {namespace}")

    with_client(work, writes=True)
