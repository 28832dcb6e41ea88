"""`memlane import jsonl`."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any, BinaryIO, Final

import click

from memlane.contracts.errors import InvalidInput, MemlaneError
from memlane.contracts.instants import now
from memlane.producers.cli.client import finish, with_client
from memlane.producers.cli.exit_codes import DONE, FAILED
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.importing.progress import BadLines, progress_bar
from memlane.producers.cli.importing.summary import record_of, sentences_of
from memlane.producers.cli.output import as_json, note, write, write_record
from memlane.producers.cli.parameters import INSTANT, WAIT
from memlane.producers.cli.said import client_options
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait
from memlane.producers.importers.jsonl import Reading, read_jsonl
from memlane.producers.importers.sending import ImportReport, Send, send_lines

FILE: Final = "file"


class AsOf(click.ParamType[datetime | str]):
    """An instant, or `file`: the source's own time of modification."""

    name = "instant"

    # Any: click hands over a text, or a default that is converted already.
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime | str:
        """See `click.ParamType`."""
        return FILE if value == FILE else INSTANT.convert(value, param, ctx)


@click.command()
@click.argument("path", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Read and check everything, send nothing.")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="N", help="The most lines a second."
)
@click.option(
    "--as-of", type=AsOf(), metavar="INSTANT|file", help="What lines are from that don't say it themselves."
)
@click.option(
    "--wait",
    type=WAIT,
    default="broker",
    show_default=True,
    metavar="broker|any|all|SINK,SINK",
    help="Until who has it.",
)
@client_options
def jsonl(
    path: BinaryIO, dry_run: bool, rate: float | None, as_of: datetime | str | None, wait: Wait
) -> None:
    """Import the lines of PATH (`-`: stdin), each a JSON object with user_id, key and value.

    Also namespace, tags, importance, session_id, project_id, metadata, created_at, updated_at, expires_at and
    version, as `memlane list --json` writes them. Every other field goes into the metadata. Deletes, and
    what is left of expired entries, are taken as `memlane export --with-deleted` writes them.

    A later line for the same address replaces an earlier one. Versions are derived from the lines, so the
    same import can be repeated. A line that does not say from when it is counts as older than everything
    else: it fills a gap, and replaces nothing that came in another way; --as-of says otherwise.

    Bad lines are told of and left out; the exit code is then 1.
    """  # fmt: skip
    lines = read_jsonl(path, Reading(as_of=_instant(path, as_of)))
    report, bad = ImportReport(), BadLines()

    async def work(send: Send | None) -> int:
        with progress_bar(path) as advance:
            await send_lines(lines, send, report, rate=rate, on_bad=bad.tell, on_progress=advance)
        return _tell(report, bad, dry_run=dry_run, dated=as_of is not None)

    async def with_memory(memory: MemoryClient) -> int:
        return await work(lambda commands: memory.send(commands, wait=wait))

    if dry_run:
        finish(asyncio.run(work(None)))
        return
    try:
        with_client(with_memory)
    except MemlaneError:
        note(
            f"stopped: {report.sent:,} lines are stored for certain; "
            "run the same import again, it does no harm"
        )
        raise


def _instant(path: BinaryIO, as_of: datetime | str | None) -> datetime | None:
    if as_of is None:
        return None
    if isinstance(as_of, str):
        try:
            as_of = datetime.fromtimestamp(os.fstat(path.fileno()).st_mtime, UTC)
        except OSError:
            raise click.UsageError("--as-of file needs a file.") from None
    if as_of > now():
        raise InvalidInput("--as-of", "is in the future", hint="give an instant that has been")
    return as_of


def _tell(report: ImportReport, bad: BadLines, *, dry_run: bool, dated: bool) -> int:
    bad.finish()
    if as_json():
        write_record(record_of(report, dry_run=dry_run))
    else:
        for sentence in sentences_of(report, dry_run=dry_run):
            write(sentence)
    if report.undated and not dated:
        note(
            f"{count_of(report.undated, 'line')} without a time of their own count as older than everything "
            "else: what was there already stays (--as-of says otherwise)"
        )
    return FAILED if report.bad else DONE
