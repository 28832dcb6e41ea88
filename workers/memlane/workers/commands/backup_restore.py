"""`memlane backup restore`: under the backup's own versions, or (`--as-new`) as a rollback."""

import asyncio

import click

from memlane.contracts.errors import MemlaneError
from memlane.producers.cli.asking import confirm
from memlane.producers.cli.client import Work, finish, with_client
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import note
from memlane.producers.cli.parameters import WAIT
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import client_options
from memlane.producers.client.clock_file import ClockFile
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait
from memlane.producers.settings import ClientSettings
from memlane.workers.backup.folder import BackupFolder
from memlane.workers.backup.minting import Minting
from memlane.workers.backup.restoring import Checked, checked
from memlane.workers.backup.rollback import Plan, Planner
from memlane.workers.backup.selection import Selection, selection_of
from memlane.workers.backup.sending import Sent, send_all
from memlane.workers.commands.reading import opened_source
from memlane.workers.commands.sent_showing import exit_code_for, show_restored, show_rolled_back
from memlane.workers.settings import WorkerSettings


@click.command()
@click.argument("name")
@click.option("--as-new", is_flag=True, help="Roll back: what it holds counts as said now. Asks first.")
@click.option("--dry-run", is_flag=True, help="Only check the backup, and say what would be sent.")
@click.option("--user", "user_id", metavar="USER", help="Only what is of this user.")
@click.option("--namespace", metavar="PATH", help="Only what is in it and below it.")
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="The most a second.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.option(
    "--wait",
    type=WAIT,
    default="all",
    show_default=True,
    metavar="broker|any|all|SINK,SINK",
    help="Until who has it.",
)
@client_options
def restore(
    *,
    name: str,
    as_new: bool,
    dry_run: bool,
    user_id: str | None,
    namespace: str | None,
    rate: float | None,
    yes: bool,
    wait: Wait,
) -> None:
    """Send what the backup NAME holds to all sinks, under the versions that it had.

    So it fills gaps: nothing that was written since is lost, nothing that was deleted comes back, and it
    can be repeated.

    With --as-new it is a rollback: what the backup holds is stored again under new versions, and what is now
    there and was not is deleted. What is written after it began stays.

    A damaged backup is refused. Exit code 1 where a sink parked something, 3 where one has not decided yet.
    """  # fmt: skip
    folder = BackupFolder(settings_from(WorkerSettings).backup_dir)
    selection = selection_of(user_id, namespace)
    with progress("checking") as on_progress:
        backup = checked(folder.file(name), on_progress)
    if backup.counts.unread:
        note(f"the backup lacks the content of {count_of(backup.counts.unread, 'row')}")
    if as_new:
        _roll_back(backup, selection, rate=rate, wait=wait, dry_run=dry_run, yes=yes)
    else:
        _restore(backup, selection, rate=rate, wait=wait, dry_run=dry_run)


def _restore(backup: Checked, selection: Selection, *, rate: float | None, wait: Wait, dry_run: bool) -> None:
    sent = Sent()

    async def work(memory: MemoryClient | None) -> int:
        commands = backup.commands(selection)
        with progress("restoring") as on_progress:
            total = backup.counts.total
            await send_all(
                memory, commands, sent, wait=wait, rate=rate, on_progress=lambda n: on_progress(n, total)
            )
        show_restored(backup.file.name, sent, dry_run=dry_run)
        return exit_code_for(sent)

    if dry_run:
        finish(asyncio.run(work(None)))
    else:
        _connected(work, sent)


def _roll_back(
    backup: Checked, selection: Selection, *, rate: float | None, wait: Wait, dry_run: bool, yes: bool
) -> None:
    begin = _new_version()
    plan = asyncio.run(_plan(backup, selection, begin))
    sent = Sent()
    if dry_run:
        show_rolled_back(backup.file.name, plan, sent, dry_run=True)
        return
    if plan.stores or plan.deletes:
        confirm(_question(backup.file.name, selection, plan), yes=yes)

    async def work(memory: MemoryClient) -> int:
        total = len(plan.stores) + len(plan.deletes)
        with progress("rolling back") as on_progress:
            await send_all(
                memory,
                plan.commands(backup, Minting(begin)),
                sent,
                wait=wait,
                rate=rate,
                on_progress=lambda n: on_progress(n, total),
            )
        show_rolled_back(backup.file.name, plan, sent, dry_run=False)
        return exit_code_for(sent)

    _connected(work, sent)


async def _plan(backup: Checked, selection: Selection, begin: str) -> Plan:
    settings = settings_from(ClientSettings)
    with progress("comparing") as on_progress:
        async with opened_source(settings, "backup restore") as source:
            others, silent = await source.answering_others()
            for problem in silent:
                note(f"not compared: {problem}")
            planner = Planner(backup, selection, source.reader, [source.sink, *others], begin)
            return await planner.plan(on_progress)


def _new_version() -> str:
    """Of now, and newer than all that this machine has written."""
    return ClockFile(settings_from(ClientSettings).state_dir / "clock").load().next()


def _question(name: str, selection: Selection, plan: Plan) -> str:
    stored = count_of(len(plan.stores), "entry", "entries")
    return (
        f"Roll {selection} back to {name}: {stored} stored again, {len(plan.deletes):,} deleted, "
        f"{plan.unchanged:,} unchanged?"
    )


def _connected(work: Work, sent: Sent) -> None:
    try:
        with_client(work)
    except MemlaneError:
        note(f"stopped: the broker has confirmed {sent.report.sent:,} commands; run the same again")
        raise
