"""Reading sinks from the command line: by their responders, wherever those run."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPException
from aiormq.exceptions import ChannelAccessRefused

from memlane.contracts.errors import BrokerRefused
from memlane.contracts.topology import lane_queue
from memlane.producers.broker.connection import connect, user_of
from memlane.producers.broker.declare import queue_depths
from memlane.producers.broker.standings import Standings, standings_now
from memlane.producers.cli.formatting import count_of
from memlane.producers.cli.output import note
from memlane.producers.settings import BrokerSettings
from memlane.workers.backup.source import Source, choose_source
from memlane.workers.watched_ask import watched_ask


@asynccontextmanager
async def opened_source(
    settings: BrokerSettings, doing: str, wanted: str | None = None
) -> AsyncIterator[Source]:
    """The sink that is read, on a connection of its own.

    Args:
        settings: where the broker is, and which sinks there are.
        doing: what the broker's management page shows.
        wanted: `--sink`.

    Raises:
        NoSinkToRead: there is none, and why.
        NotAWorker: this account gets no answer.
        BrokerError: the broker refuses, or went away.
    """
    async with await connect(settings.url, f"memlane {doing}") as connection:
        standings = await _standings(connection)
        async with watched_ask(connection, user_of(settings.url)) as ask:
            source = await choose_source(ask, settings.sink_names, standings.__getitem__, wanted)
            await _tell_backlog(connection, source.sink)
            yield source


async def _standings(connection: AbstractConnection) -> Standings:
    try:
        return await standings_now(connection)
    except AMQPException as error:
        hint = (
            "log in as a worker, see docs/access.md"
            if isinstance(error, ChannelAccessRefused)
            else "start `memlane up`, or `memlane topology apply`"
        )
        raise BrokerRefused(f"can't read how the sinks stand: {error}", hint=hint) from error


async def _tell_backlog(connection: AbstractConnection, sink: str) -> None:
    depth = (await queue_depths(connection, [lane_queue(sink)]))[lane_queue(sink)]
    if depth is not None and depth[0]:
        note(f"{count_of(depth[0], 'message')} wait for {sink}: what they say is not in what is read")
