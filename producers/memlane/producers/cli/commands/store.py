"""`memlane store`."""

from datetime import timedelta

import click

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.limits import DEFAULT_IMPORTANCE, DEFAULT_NAMESPACE
from memlane.producers.cli.client import with_client
from memlane.producers.cli.parameters import DURATION, JSON_OBJECT, WAIT
from memlane.producers.cli.receipts import tell_receipt
from memlane.producers.cli.said import client_options
from memlane.producers.cli.values import read_value
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait


@click.command()
@click.argument("user")
@click.argument("key")
@click.argument("value", required=False)
@click.option(
    "--namespace",
    default=DEFAULT_NAMESPACE,
    show_default=True,
    metavar="PATH",
    help="Parts separated by `/`.",
)
@click.option("--ttl", type=DURATION, metavar="TIME", help="Forget it after 30s, 5m, 2h, 7d …")
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Repeatable.")
@click.option(
    "--importance", type=int, default=DEFAULT_IMPORTANCE, show_default=True, metavar="N", help="1 to 10."
)
@click.option("--session", metavar="ID", help="The session that it comes from.")
@click.option("--project", metavar="ID", help="The project that it belongs to.")
@click.option("--metadata", type=JSON_OBJECT, metavar="JSON", help="An object, to filter by.")
@click.option(
    "--json-value", is_flag=True, help="The value is JSON; without this it is text, whatever it looks like."
)
@click.option(
    "--wait",
    type=WAIT,
    default="broker",
    show_default=True,
    metavar="outbox|broker|any|all|SINK,SINK",
    help="Until who has it.",
)
@client_options
def store(
    *,
    user: str,
    key: str,
    value: str | None,
    namespace: str,
    ttl: timedelta | None,
    tags: tuple[str, ...],
    importance: int,
    session: str | None,
    project: str | None,
    metadata: dict[str, Json] | None,
    json_value: bool,
    wait: Wait,
) -> None:
    """Remember VALUE at KEY of USER, in place of whatever is there.

    Without VALUE, or with `-`, it is read from stdin; one line end behind it is dropped.

    With --wait, the exit code is 1 where a sink parked it, and 3 where one has not decided by the deadline.

    While the broker is away it waits in the outbox on this machine, until some client or `memlane outbox
    flush` sends it: that is told on stderr, and the exit code is 0.
    """  # fmt: skip
    content = read_value(value, as_json=json_value)

    async def work(memory: MemoryClient) -> int:
        receipt = await memory.store(
            user,
            key,
            content,
            namespace=namespace,
            tags=tags,
            importance=importance,
            session_id=session,
            project_id=project,
            metadata=metadata,
            ttl=ttl,
            wait=wait,
        )
        return tell_receipt(receipt, wait, f"stored {Address(user, namespace, key)}")

    with_client(work, writes=True)
