"""`memlane search`."""

from typing import Any

import click

from memlane.contracts.limits import MAX_PAGE
from memlane.producers.cli.client import with_client
from memlane.producers.cli.pages import show_hits, tell_completeness
from memlane.producers.cli.said import client_options
from memlane.producers.cli.selecting import filter_options, filters_from
from memlane.producers.client.memory_client import MemoryClient


@click.command()
@click.argument("user")
@click.argument("query", nargs=-1)
@filter_options
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=10, show_default=True, metavar="N", help="How many."
)
@client_options
# Any: the filters' options, which the model checks.
def search(user: str, query: tuple[str, ...], namespace: str | None, limit: int, **said: Any) -> None:
    """Find what is about any of the words of QUERY, best first. Without QUERY: the newest.

    The words are text, without any syntax. The exit code is 3 where a sink's answer is missing.
    """  # fmt: skip
    filters = filters_from(said)

    async def work(memory: MemoryClient) -> int:
        found = await memory.search(user, " ".join(query), namespace=namespace, filters=filters, limit=limit)
        show_hits(found.hits, scored=True)
        return tell_completeness(found.complete, found.sinks)

    with_client(work)
