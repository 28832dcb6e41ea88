"""`memlane dead`."""

from datetime import timedelta

import click

from memlane.contracts.instants import now
from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.commands.dead_drop import drop
from memlane.producers.cli.commands.dead_retry import retry
from memlane.producers.cli.dead.browsing import browse, find
from memlane.producers.cli.dead.letters import record_of, without_copies
from memlane.producers.cli.dead.options import selecting_options
from memlane.producers.cli.dead.selection import Selection
from memlane.producers.cli.dead.showing import COLUMNS, record_in_full, row_of, rows_in_full
from memlane.producers.cli.errors import NotFound
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import as_json, note, write_record, write_table
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings

_MOST = 10_000


@click.group()
def dead() -> None:
    """Look at what could not be applied and was parked with the reason; retry it, or drop it."""


@dead.command("list")
@click.argument("sink")
@selecting_options
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=50,
    show_default=True,
    metavar="N",
    help="The oldest so many.",
)
@click.option("--show-values", is_flag=True, help="Also what the commands would have stored.")
@broker_options
def list_(
    *,
    sink: str,
    errors: tuple[str, ...],
    older_than: timedelta | None,
    newer_than: timedelta | None,
    limit: int,
    show_values: bool,
) -> None:
    """Show the parked commands of SINK, the oldest first; they stay where they are.

    A line a command; copies of the same message are shown once. Values are not shown unless asked for.
    Elsewhere than on a terminal with tabs: when it was parked, error, tries, copies, command, version,
    reason, and the value.
    """
    selection = Selection(errors=frozenset(errors), older_than=older_than, newer_than=newer_than)
    letters, meant, total = with_broker(
        settings_from(BrokerSettings),
        "dead list",
        lambda connection: browse(connection, sink, limit, selection, now()),
    )
    if as_json():
        for letter in letters:
            write_record(record_of(letter, values=show_values))
    elif letters:
        columns = (*COLUMNS, "value") if show_values else COLUMNS
        rows = [row_of(letter, one, values=show_values) for letter in letters for one in letter.commands]
        write_table(columns, rows)
    _tell_rest(sink, len(letters), meant, total)


def _tell_rest(sink: str, shown: int, meant: int, total: int) -> None:
    if not total:
        note(f"nothing is parked for {sink}")
    elif not meant:
        note(f"none of the {count_of(total, 'message')} parked for {sink} is like that")
    elif shown < meant:
        note(f"{count_of(meant, 'message')} of that kind, the oldest {shown:,} shown: raise --limit")


@dead.command()
@click.argument("sink")
@click.argument("id_", metavar="ID")
@broker_options
def show(sink: str, id_: str) -> None:
    """Show everything about one parked command of SINK, its value included.

    ID is the command's version, or the name of a message that has none, as `memlane dead list` shows them.
    """
    found = with_broker(
        settings_from(BrokerSettings),
        "dead show",
        lambda connection: find(connection, sink, Selection(ids=frozenset({id_})), now()),
    )
    if not found:
        raise NotFound(f"{id_} is not parked for {sink}", hint=f"see `memlane dead list {sink}`")
    bodies = {letter.identity: message for letter, message in found}
    for letter in without_copies(letter for letter, _ in found):
        if as_json():
            write_record(record_in_full(letter, bodies[letter.identity]))
        else:
            write_table(("", ""), rows_in_full(letter, bodies[letter.identity]))


dead.add_command(retry)
dead.add_command(drop)
