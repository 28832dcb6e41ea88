"""`memlane export`."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from memlane.contracts.errors import MemlaneError
from memlane.contracts.instants import now
from memlane.producers.cli.client import finish
from memlane.producers.cli.exit_codes import FAILED
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.output import note, write
from memlane.producers.cli.progress import progress
from memlane.producers.cli.said import broker_options
from memlane.producers.settings import BrokerSettings
from memlane.workers.backup.selection import Selection, selection_of
from memlane.workers.commands.naming import check_sink
from memlane.workers.commands.reading import opened_source
from memlane.workers.exporting import Export

Take = Callable[[Sequence[str]], None]


@click.command()
@click.option("--user", "user_id", metavar="USER", help="Only what is of this user.")
@click.option("--namespace", metavar="PATH", help="Only what is in it and below it.")
@click.option("--sink", metavar="SINK", help="Whose rows; by default those of the first durable sink.")
@click.option("--with-deleted", is_flag=True, help="Also what was deleted, and what has expired.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Not to stdout.")
@broker_options
def export(
    user_id: str | None, namespace: str | None, sink: str | None, with_deleted: bool, out: Path | None
) -> None:
    """Write everything that is remembered as JSON Lines, an entry a line, as `memlane list --json` does.

    `memlane import jsonl` takes it back under the same versions, as often as one likes: what is newer there
    stays, and what was deleted there stays deleted.

    With --with-deleted, deletes and what is left of expired entries are lines of their own
    (`"type": "delete"`, `"type": "expired"`). A deployment that imports all of it holds the very same.

    Exit code 1 where a row's content could not be had from any sink.
    """  # fmt: skip
    settings = settings_from(BrokerSettings)
    check_sink(settings, sink, "--sink")
    selection = selection_of(user_id, namespace)

    async def work(take: Take) -> Export:
        async with opened_source(settings, "export", sink) as source:
            return await _export(Export(source, selection, now(), with_deleted=with_deleted), take)

    with _destination(out) as take:
        done = asyncio.run(work(take))
    _tell(done, selection)


async def _export(export: Export, take: Take) -> Export:
    with progress("exporting") as on_progress:
        async for lines in export.lines(on_progress):
            take(lines)
    return export


def _tell(done: Export, selection: Selection) -> None:
    others = f", and {done.others:,} that are deleted or expired" if done.others else ""
    note(f"exported {count_of(done.entries, 'entry', 'entries')}{others} ({selection})")
    if done.unread:
        note(f"no sink has the content of {count_of(done.unread, 'row')}: not exported")
        finish(FAILED)


@contextmanager
def _destination(out: Path | None) -> Iterator[Take]:
    """Takes lines to stdout; or to a file, which has its name only when all of it is there."""
    if out is None:
        yield lambda lines: write("\n".join(lines))
        return
    partial = out.with_name(f".{out.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            yield lambda lines: file.writelines(f"{line}\n" for line in lines)
        partial.replace(out)
    except OSError as error:
        raise MemlaneError(f"{out} can't be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
