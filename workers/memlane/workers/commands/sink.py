"""`memlane sink`: the sinks themselves, without the broker; `standing.py` has what is said about them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import click

from memlane.contracts.instants import now
from memlane.producers.cli.options import settings_from
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Checkable, Sink
from memlane.workers.commands.standing import level, pause, resume
from memlane.workers.recounting import check_digests, rebuild_digest
from memlane.workers.sinks import installed_sinks, make_sink

Result = TypeVar("Result")


@click.group()
def sink() -> None:
    """List the installed sinks; check one, and its digests; pause and resume one."""


@sink.command("list")
def list_() -> None:
    """Name the sinks that are installed."""
    for name in installed_sinks():
        click.echo(name)


@sink.command("check")
@click.argument("name", metavar="SINK")
def check(name: str) -> None:
    """Reach a sink, and say what it can and cannot do.

    A sink over a foreign server keeps a small entry under a reserved user there, reads it, and removes it.
    """
    for line in _with_sink(name, _checked):
        click.echo(line)


async def _checked(opened: Sink) -> list[str]:
    await opened.health()
    lines = [f"{opened.name}: healthy, {'durable' if opened.durable else 'not durable: a cache, or unknown'}"]
    if isinstance(opened, Checkable):
        await opened.check()
        lines.append("an entry was kept, read back and removed")
        lines += [f"{ability}: {who}" for ability, who in opened.abilities.items()]
    return lines


@sink.command("rebuild-digests")
@click.argument("name", metavar="SINK")
@click.option("--dry-run", is_flag=True, help="Only say what is wrong; exit 1 if anything is.")
def rebuild_digests(name: str, dry_run: bool) -> None:
    """Compare every bucket's digest with its rows, and set wrong ones right.

    Rows that were changed behind memlane's back are counted as damaged: what another sink holds there, or the
    same store again, takes their place.
    """
    found = _with_sink(name, lambda opened: _rebuild(opened, dry_run=dry_run))
    click.echo(f"{name}: {found} buckets were wrong" if found else f"{name}: all digests are right", err=True)
    if found and dry_run:
        raise click.exceptions.Exit(1)


async def _rebuild(opened: Sink, *, dry_run: bool) -> int:
    found = 0
    async for finding in check_digests(opened):
        found += 1
        click.echo(
            f"bucket {finding.bucket}: kept {finding.kept.count} rows, counted {finding.counted.count}, "
            f"{finding.damaged} damaged"
        )
        if not dry_run:
            await rebuild_digest(opened, finding.bucket, now())
    return found


for command in (pause, resume, level):
    sink.add_command(command)


def _with_sink(name: str, work: Callable[[Sink], Awaitable[Result]]) -> Result:
    async def run() -> Result:
        async with make_sink(name, settings_from(SinkSettings)) as opened:
            return await work(opened)

    return asyncio.run(run())
