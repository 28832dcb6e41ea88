"""Options that choose entries, shared by `list` and `search`."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from memlane.contracts.query import Filters
from memlane.producers.cli.parameters import INSTANT, JSON_OBJECT
from memlane.producers.client.building import build

# Any: a command's callback may take and return anything; click knows its parameters.
Callback = TypeVar("Callback", bound=Callable[..., Any])

_OPTIONS: Final = (
    click.option("--namespace", metavar="PATH", help="Only in it and below it."),
    click.option("--tag", "tags_all", multiple=True, metavar="TAG", help="Must have it; repeatable."),
    click.option("--any-tag", "tags_any", multiple=True, metavar="TAG", help="One of them; repeatable."),
    click.option("--importance-min", type=int, metavar="N", help="1 to 10."),
    click.option("--importance-max", type=int, metavar="N", help="1 to 10."),
    click.option("--session", "session_id", metavar="ID", help="Only of this session."),
    click.option("--project", "project_id", metavar="ID", help="Only of this project."),
    click.option("--metadata", type=JSON_OBJECT, metavar="JSON", help="Must have these fields, equal."),
    click.option("--key", "key_pattern", metavar="PATTERN", help="`*` is any text, `?` any one character."),
    click.option("--created-from", type=INSTANT, metavar="INSTANT", help="At or after."),
    click.option("--created-before", type=INSTANT, metavar="INSTANT", help="Strictly before."),
    click.option("--updated-from", type=INSTANT, metavar="INSTANT", help="At or after."),
    click.option("--updated-before", type=INSTANT, metavar="INSTANT", help="Strictly before."),
)  # fmt: skip


def filter_options(callback: Callback) -> Callback:
    """`--namespace` and all filters."""
    for option in reversed(_OPTIONS):
        callback = option(callback)
    return callback


# Any: what the options gave; the model checks it.
def filters_from(said: dict[str, Any]) -> Filters:
    """The filters of what was said.

    Raises:
        InvalidInput: names the filter.
    """
    return build(
        Filters, **{name: value for name, value in said.items() if value is not None and value != ()}
    )
