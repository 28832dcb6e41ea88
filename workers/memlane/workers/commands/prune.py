"""`memlane prune`."""

import asyncio
from datetime import timedelta
from typing import Any

import click

from memlane.contracts.errors import InvalidInput, MemlaneError
from memlane.contracts.instants import now
from memlane.producers.cli.asking import confirm
from memlane.producers.cli.client import with_client
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import as_json, note, write, write_record
from memlane.producers.cli.parameters import DURATION, WAIT
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import client_options
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait
from memlane.producers.settings import ClientSettings
from memlane.workers.backup.selection import Selection, selection_of
from memlane.workers.backup.sending import Sent, send_all
from memlane.workers.commands.reading import opened_source
from memlane.workers.commands.sent_showing import decisions_of, exit_code_for, show_decisions
from memlane.workers.pruning import OldEntries, old_entries


@click.command()
@click.option(
    "--older-than", type=DURATION, required=True, metavar="TIME", help="Not updated for so long, such as 90d."
)
@click.option("--user", "user_id", metavar="USER", help="Only what is of this user.")
@click.option("--namespace", metavar="PATH", help="Only what is in it and below it.")
@click.option("--dry-run", is_flag=True, help="Only say how many there are.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="The most a second.")
@click.option(
    "--wait",
    type=WAIT,
    default="broker",
    show_default=True,
    metavar="broker|any|all|SINK,SINK",
    help="Until who has it.",
)
@client_options
def prune(
    *,
    older_than: timedelta,
    user_id: str | None,
    namespace: str | None,
    dry_run: bool,
    yes: bool,
    rate: float | None,
    wait: Wait,
) -> None:
    """Delete what nobody has updated for a time. Asks first.

    An entry that is updated while this works stays. One of unknown age (it was imported) counts as old.

    What was deleted stays in the command log, in queues and in backups until their own retention ends.
    """  # fmt: skip
    selection = selection_of(user_id, namespace)
    old = asyncio.run(_find(selection, older_than))
    if old.undated:
        note(f"{count_of(old.undated, 'entry', 'entries')} of unknown age among them")
    sent = Sent()
    if dry_run or not old.versions:
        _tell(old, sent, dry_run=dry_run)
        return
    confirm(f"Delete {_in_words(old)} ({selection})?", yes=yes)

    async def work(memory: MemoryClient) -> int:
        total = len(old.versions)
        with progress("deleting") as told:
            await send_all(
                memory, old.deletes(), sent, wait=wait, rate=rate, on_progress=lambda n: told(n, total)
            )
        _tell(old, sent, dry_run=False)
        return exit_code_for(sent)

    try:
        with_client(work)
    except MemlaneError:
        note(f"stopped: the broker has confirmed {count_of(sent.report.sent, 'delete')}; say the same again")
        raise


async def _find(selection: Selection, older_than: timedelta) -> OldEntries:
    try:
        before = now() - older_than
    except OverflowError:
        raise InvalidInput("--older-than", "begins before the year 1", hint="take a shorter time") from None
    with progress("looking") as on_progress:
        async with opened_source(settings_from(ClientSettings), "prune") as source:
            return await old_entries(source, selection, before, on_progress)


def _in_words(old: OldEntries) -> str:
    return count_of(len(old.versions), "entry", "entries")


def _tell(old: OldEntries, sent: Sent, *, dry_run: bool) -> None:
    if as_json():
        write_record(_record(old, sent, dry_run=dry_run))
    elif dry_run:
        write(f"dry run: {_in_words(old)} would be deleted; nothing was changed")
    else:
        write(f"deleted {_in_words(old)}, confirmed by the broker in {sent.report.seconds:.1f} s")
        show_decisions(sent)


# Any: what JSON can say.
def _record(old: OldEntries, sent: Sent, *, dry_run: bool) -> dict[str, Any]:
    return {
        "found": len(old.versions),
        "undated": old.undated,
        "dry_run": dry_run,
        "deleted": sent.report.sent,
        "seconds": round(sent.report.seconds, 3),
        "sinks": decisions_of(sent),
    }
