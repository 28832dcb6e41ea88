"""`memlane status`."""

import asyncio
import sys
from datetime import timedelta

import click
from rich.console import Console
from rich.live import Live

from memlane.contracts.errors import BrokerUnreachable
from memlane.producers.cli.client import with_client
from memlane.producers.cli.exit_codes import DONE, FAILED
from memlane.producers.cli.options import settings_from
from memlane.producers.cli.outbox.listing import notes_of
from memlane.producers.cli.output import as_json, note, on_terminal, write_record
from memlane.producers.cli.parameters import DURATION
from memlane.producers.cli.said import client_options
from memlane.producers.cli.status.gathering import system_state
from memlane.producers.cli.status.showing import lines_of, picture_of
from memlane.producers.cli.status.state import SystemState
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.outbox.outbox import outbox_of
from memlane.producers.settings import ClientSettings


@click.command()
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option(
    "--interval",
    type=DURATION,
    default=timedelta(seconds=2),
    metavar="TIME",
    help="Of --watch; 2s by default.",
)
@client_options
def status(watch: bool, interval: timedelta) -> None:
    """Show how each sink is: what it holds, its backlog, what is parked, whether all agree.

    Unhealthy, with exit code 1, is a system in which something does not get through: a sink that does not
    answer, a queue that is not there or that nobody consumes, no aggregator. Commands that are parked or
    delayed, and sinks that (still) differ, are shown but do not count: the others go on. Nor does what waits
    in the outbox of this machine. A broker whose alarm (memory, disk) stops all writing does.

    The exit code is 5 where the broker can't be reached.
    """
    settings = settings_from(ClientSettings)
    try:
        if watch:
            with_client(lambda memory: _watch(memory, settings, interval))
        with_client(lambda memory: _once(memory, settings))
    except BrokerUnreachable:
        for text in notes_of(asyncio.run(outbox_of(settings, settings.url).status())):
            note(text)
        raise


async def _once(memory: MemoryClient, settings: ClientSettings) -> int:
    state = await system_state(memory, settings)
    _show(state)
    return DONE if state.healthy else FAILED


async def _watch(memory: MemoryClient, settings: ClientSettings, interval: timedelta) -> int:
    """Shows it until it is interrupted; a broker that goes away is waited for."""
    with Live(console=Console(file=sys.stdout), auto_refresh=False, screen=False) as live:
        while True:
            try:
                state = await system_state(memory, settings)
            except BrokerUnreachable as error:
                note(str(error))
            else:
                if on_terminal() and not as_json():
                    live.update(picture_of(state), refresh=True)
                else:
                    _show(state)
            await asyncio.sleep(interval.total_seconds())


def _show(state: SystemState) -> None:
    if as_json():
        write_record(state.record())
    elif on_terminal():
        Console(file=sys.stdout).print(picture_of(state))
    else:
        click.echo("\n".join(lines_of(state)))
