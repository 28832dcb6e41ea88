"""`memlane list`."""

from typing import Any

import click

from memlane.contracts.limits import MAX_PAGE
from memlane.contracts.query import Cursor, Filters, Order
from memlane.contracts.reply import Hit
from memlane.producers.cli.client import with_client
from memlane.producers.cli.exit_codes import DONE
from memlane.producers.cli.output import note
from memlane.producers.cli.pages import show_hits, tell_completeness
from memlane.producers.cli.said import client_options
from memlane.producers.cli.selecting import filter_options, filters_from
from memlane.producers.client.memory_client import MemoryClient


@click.command("list")
@click.argument("user")
@filter_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=50, show_default=True, metavar="N", help="How many."
)
@click.option("--all", "everything", is_flag=True, help="All of them, however many.")
@click.option("--oldest", is_flag=True, help="The oldest first, not the newest.")
@client_options
# Any: the filters' options, which the model checks.
def list_(user: str, namespace: str | None, limit: int, everything: bool, oldest: bool, **said: Any) -> None:
    """List what is remembered of USER, the newest first.

    Elsewhere than on a terminal a line an entry: namespace, key, value as JSON, tags, importance, updated,
    expires, with tabs between them. With --json, entries that `memlane import jsonl` takes back.
    """  # fmt: skip
    filters = filters_from(said)

    async def work(memory: MemoryClient) -> int:
        most = None if everything else limit
        order: Order = "oldest" if oldest else "newest"
        return await _list(memory, user, namespace=namespace, filters=filters, order=order, most=most)

    with_client(work)


async def _list(
    memory: MemoryClient,
    user: str,
    *,
    namespace: str | None,
    filters: Filters,
    order: Order,
    most: int | None,
) -> int:
    """Page by page; a page is shown at once, so that a long list takes no memory."""
    cursor: Cursor | None = None
    left = most
    code = DONE
    while left is None or left > 0:
        page = await memory.list(
            user,
            namespace=namespace,
            filters=filters,
            order=order,
            limit=MAX_PAGE if left is None else min(left, MAX_PAGE),
            cursor=cursor,
        )
        _show(page.hits)
        code = max(code, tell_completeness(page.complete, page.sinks))
        left = None if left is None else left - len(page.hits)
        if (cursor := page.cursor) is None:
            return code
    note("there is more: raise --limit, or say --all")
    return code


def _show(hits: list[Hit]) -> None:
    if hits:
        show_hits(hits)
