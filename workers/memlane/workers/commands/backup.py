"""`memlane backup`; `backup_restore.py` has the way back."""

import asyncio

import click

from memlane.contracts.instants import now
from memlane.producers.cli.client import finish
from memlane.producers.cli.exit_codes import DONE, FAILED
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import as_json, note
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import broker_options, json_option
from memlane.workers.backup.errors import BackupDamaged, BackupFormatUnknown
from memlane.workers.backup.folder import BackupFolder, check_own_name, manual_name
from memlane.workers.backup.making import Made, make_backup
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.whole_rows import OnProgress
from memlane.workers.backup.writing import exists
from memlane.workers.commands.backup_restore import restore
from memlane.workers.commands.backup_showing import show_list, show_made, show_verified
from memlane.workers.commands.naming import check_sink
from memlane.workers.commands.reading import opened_source
from memlane.workers.settings import WorkerSettings


@click.group()
def backup() -> None:
    """Make, list, verify and restore backups: all that a sink holds, in a file of MEMLANE_BACKUP_DIR.

    Workers make one by themselves when MEMLANE_BACKUP_SCHEDULE says so.
    """


@backup.command("create")
@click.option("--name", metavar="NAME", help="What it is called: a point to roll back to.")
@click.option("--sink", metavar="SINK", help="Whose rows; by default those of MEMLANE_BACKUP_SINK.")
@broker_options
def create(name: str | None, sink: str | None) -> None:
    """Make a backup now. It stays until somebody removes its file.

    What is written meanwhile may be in it or not; each entry in it is whole. The sink is read by its
    responder, so this works from any machine, for an account that is a worker's.

    Exit code 1 where a row's content could not be had from any sink: the backup then lacks it.
    """  # fmt: skip
    settings = settings_from(WorkerSettings)
    check_sink(settings, sink, "--sink")
    if name is not None:
        check_own_name(name)
    folder, name = BackupFolder(settings.backup_dir), name or manual_name(now())
    if folder.path_of(name).exists():
        raise exists(folder.path_of(name))

    async def work(on_progress: OnProgress) -> Made:
        async with opened_source(settings, "backup create", sink or settings.backup_sink) as source:
            return await make_backup(folder, source, name, on_progress=on_progress)

    with progress("backing up") as on_progress:
        made = asyncio.run(work(on_progress))
    show_made(made)
    if lost := made.trailer.counts.unread:
        note(f"no sink has the content of {count_of(lost, 'row')}: the backup lacks it")
        finish(FAILED)


@backup.command("list")
@json_option
def list_() -> None:
    """List the backups, the newest first: what each holds, and whether both of its ends can be read.

    Elsewhere than on a terminal with tabs: name, created, sink, stores, deletes, marks, expired, unread,
    size, state.
    """
    folder = BackupFolder(settings_from(WorkerSettings).backup_dir)
    listed = folder.all()
    show_list(listed)
    if not listed and not as_json():
        note(f"no backups in {folder.path}")


@backup.command("verify")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that there are.")
@json_option
def verify(names: tuple[str, ...], everything: bool) -> None:
    """Read backups from end to end: checksum, counts, and whether each command is valid.

    Exit code 1 if one is damaged, 4 if there is none of that name.
    """
    if bool(names) == everything:
        raise click.UsageError("Give NAMEs of backups, or --all.")
    folder = BackupFolder(settings_from(WorkerSettings).backup_dir)
    files = [folder.file(name) for name in names or folder.names()]
    codes = [_verify(file) for file in files]
    if not files:
        note(f"no backups in {folder.path}")
    finish(max(codes, default=DONE))


backup.add_command(restore)


def _verify(file: BackupFile) -> int:
    try:
        file.header()
        total = file.trailer().counts.total
        with progress(f"verifying {file.name}") as on_progress:
            for number, _ in enumerate(file.records(), 1):
                if number % 1000 == 0:
                    on_progress(number, total)
        show_verified(file.name, file.trailer().counts, "")
    except (BackupDamaged, BackupFormatUnknown) as error:
        show_verified(file.name, None, error.problem)
        return FAILED
    return DONE
