"""Running something with a connected client."""

import asyncio
from collections.abc import Awaitable, Callable

import click

from memlane.producers.cli.options import settings_from
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.settings import ClientSettings

Work = Callable[[MemoryClient], Awaitable[int]]


def with_client(work: Work, *, writes: bool = False) -> None:
    """Connects, works, disconnects, and ends the command with the exit code that the work returns.

    Args:
        work: with the client.
        writes: the work is one write, which may wait in the outbox while the broker is away. Without it the
            client has no outbox, and sends nothing that others left there.

    Raises:
        MemlaneError: settings, connection, or what the work raises.
    """
    settings = settings_from(ClientSettings)
    if not writes:
        settings = settings.model_copy(update={"outbox": False})
    finish(asyncio.run(_connected(work, settings)))


def finish(code: int) -> None:
    """Ends the command with this exit code; does nothing for 0."""
    if code:
        raise click.exceptions.Exit(code)


async def _connected(work: Work, settings: ClientSettings) -> int:
    async with MemoryClient(settings=settings) as memory:
        return await work(memory)
