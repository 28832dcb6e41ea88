"""`memlane outbox`."""

import asyncio
from collections.abc import Sequence
from typing import Final

import click

from memlane.producers.cli.asking import confirm
from memlane.producers.cli.client import finish
from memlane.producers.cli.errors import NotFound
from memlane.producers.cli.exit_codes import DONE, FAILED
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.outbox.flushing import flush
from memlane.producers.cli.outbox.listing import COLUMNS, entry_record, row_of, status_record
from memlane.producers.cli.output import as_json, note, write, write_record, write_table
from memlane.producers.cli.said import broker_options
from memlane.producers.outbox.outbox import Outbox, outbox_of
from memlane.producers.settings import ClientSettings

_MOST: Final = 100_000


@click.group()
def outbox() -> None:
    """Look at what waits on this machine until the broker takes it; send it, or drop it."""


@outbox.command("list")
@click.option(
    "--limit",
    type=click.IntRange(1, _MOST),
    default=50,
    show_default=True,
    metavar="N",
    help="The oldest so many.",
)
@broker_options
def list_(limit: int) -> None:
    """Show what is in the outbox, for whichever broker, the oldest first. Values are never shown.

    `waiting` is sent as soon as the broker takes it; `aside` was refused for good, with the reason beside it.
    Elsewhere than on a terminal with tabs: state, since when, what, where, version, bytes, for whom, error.
    """
    box, _settings = _opened()
    entries = box.file.entries(None, limit) if box.file.exists() else []
    if as_json():
        for entry in entries:
            write_record(entry_record(entry))
    elif entries:
        write_table(COLUMNS, map(row_of, entries))
    statuses = [box.file.status(target) for target in box.file.targets()] if entries else []
    total = sum(status.waiting + status.aside for status in statuses)
    if total > len(entries):
        note(f"{count_of(total, 'command')} in the outbox, the oldest {len(entries):,} shown: raise --limit")
    elif not total:
        note("the outbox is empty")


@outbox.command("flush")
@click.option(
    "--all", "everything", is_flag=True, help="Also what waits for other brokers and accounts: send it here."
)
@click.option("--aside", is_flag=True, help="Also what the broker refused before.")
@broker_options
def flush_(everything: bool, aside: bool) -> None:
    """Send what waits to the broker now, and wait for its confirms.

    The exit code is 1 where something is left that it was to send, and 5 where the broker can't be reached.
    """
    box, settings = _opened()
    exists = box.file.exists()
    targets = box.file.targets() if exists and everything else [box.target]
    sent = asyncio.run(flush(box, settings, targets, aside=aside)) if exists else 0
    left = [box.file.status(target) for target in targets] if exists else []
    aside_now = sum(status.aside for status in left)
    if as_json():
        write_record({"sent": sent, "waiting": sum(status.waiting for status in left), "aside": aside_now})
    else:
        write(f"sent {count_of(sent, 'command')}")
    if aside_now:
        note(f"{count_of(aside_now, 'command')} refused for good, and kept aside (memlane outbox list)")
    _note_others(box, targets)
    finish(FAILED if any(status.waiting or status.aside for status in left) else DONE)


@outbox.command("drop")
@click.argument("version", required=False)
@click.option("--aside", is_flag=True, help="All that the broker refused for good.")
@click.option("--all", "everything", is_flag=True, help="All that is in it for one broker and account.")
@click.option(
    "--for",
    "target",
    metavar="BROKER",
    help="Of this broker and account, as `list` shows it; by default ours.",
)
@click.option("--yes", is_flag=True, help="Don't ask.")
@broker_options
def drop(version: str | None, aside: bool, everything: bool, target: str | None, yes: bool) -> None:
    """Forget commands of the outbox unsent: one VERSION, those --aside, or --all. Asks first.

    The exit code is 4 where there is no such command.
    """
    if [version is not None, aside, everything].count(True) != 1:
        raise click.UsageError("Give a VERSION, --aside or --all: one of them.")
    box, _settings = _opened()
    # A version is one command, whoever it is for.
    owner = target if target is not None or version is not None else box.target
    status = box.file.status(owner) if owner is not None and box.file.exists() else None
    confirm(_question(version, aside, 0 if status is None else status.waiting + status.aside), yes=yes)
    dropped = box.file.drop(owner, version=version, aside=aside) if box.file.exists() else 0
    if not dropped and version is not None:
        raise NotFound(f"the outbox has no command {version}", hint="see `memlane outbox list`")
    if everything and owner is not None:
        _note_others(box, [owner])
    if as_json():
        write_record({"dropped": dropped, **({} if owner is None else {"left": _left(box, owner)})})
    else:
        write(f"dropped {count_of(dropped, 'command')}")


def _opened() -> tuple[Outbox, ClientSettings]:
    settings = settings_from(ClientSettings)
    return outbox_of(settings, settings.url), settings


def _note_others(box: Outbox, targets: Sequence[str]) -> None:
    """Says what waits for other brokers and accounts: all of it, where an address has changed."""
    others = [target for target in box.file.targets() if target not in targets] if box.file.exists() else []
    statuses = [box.file.status(target) for target in others]
    count = sum(status.waiting + status.aside for status in statuses)
    if count:
        note(
            f"{count_of(count, 'command')} for {', '.join(others)}, left where they are:"
            " memlane outbox flush --all sends them to this broker,"
            " memlane outbox drop --all --for BROKER forgets them"
        )


def _question(version: str | None, aside: bool, count: int) -> str:
    if version is not None:
        return f"Drop {version}? No sink will ever get it."
    what = "what the broker refused for good" if aside else f"all {count:,} commands"
    return f"Drop {what} from the outbox? No sink will ever get it."


def _left(box: Outbox, owner: str) -> dict[str, object]:
    return status_record(box.file.status(owner)) if box.file.exists() else {}
