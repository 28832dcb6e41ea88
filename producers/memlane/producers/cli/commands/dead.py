"""`memlane dead`."""

import click

from memlane.producers.cli.broker import with_broker
from memlane.producers.cli.dead.browsing import browse
from memlane.producers.cli.dead.letters import Letter, ParkedCommand, record_of, without_copies
from memlane.producers.cli.formatting import count_of, shortened
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import as_json, note, on_terminal, write_record, write_table
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings

_COLUMNS = ("parked", "error", "tries", "copies", "command", "version", "reason")
_MOST = 10_000


@click.group()
def dead() -> None:
    """Look at what could not be applied, and was parked with the reason."""


@dead.command("list")
@click.argument("sink")
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
def list_(sink: str, limit: int, show_values: bool) -> None:
    """Show the parked commands of SINK, the oldest first; they stay where they are.

    A line a command; copies of the same message are shown once. Values are not shown unless asked for.
    """
    settings = settings_from(BrokerSettings)
    letters, total = with_broker(settings, "dead list", lambda connection: browse(connection, sink, limit))
    once = without_copies(letters)
    if as_json():
        for letter in once:
            write_record(record_of(letter, values=show_values))
    elif once:
        columns = (*_COLUMNS, "value") if show_values else _COLUMNS
        write_table(columns, [_row(letter, one, show_values) for letter in once for one in letter.commands])
    if total > len(letters):
        note(f"{count_of(total, 'message')} parked, the oldest {len(letters):,} shown: raise --limit")
    elif not total:
        note(f"nothing is parked for {sink}")


def _row(letter: Letter, command: ParkedCommand, values: bool) -> tuple[str, ...]:
    cut = shortened if on_terminal() else _whole
    row = (
        letter.parked,
        letter.error,
        str(letter.attempt or ""),
        str(letter.copies),
        f"{command.what} {command.where}".strip(),
        command.version,
        cut(letter.text),
    )
    return (*row, cut(command.value)) if values else row


def _whole(text: str) -> str:
    return text
