"""How the sinks stand, kept up to date for the roles of this process."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.standing import NOTHING_SAID, Notice, Standing
from memlane.contracts.topology import STANDING
from memlane.producers import log_keys
from memlane.producers.broker.standings import notice_of, said_so_far
from memlane.producers.broker.stream import read_stream
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings

log: Final = structlog.get_logger("memlane.standing")

FIRST_READ: Final = timedelta(seconds=5)
"""Who starts waits for so long at most to know what was said before."""


class Standings:
    """What is known about the sinks. Nothing is, where nobody keeps it up to date."""

    def __init__(self) -> None:
        self._by_sink: dict[str, Standing] = {}
        self._changed = asyncio.Condition()

    def of(self, sink: str) -> Standing:
        """How a sink stands."""
        return self._by_sink.get(sink, NOTHING_SAID)

    async def replace(self, by_sink: dict[str, Standing]) -> None:
        """Takes what a whole reading came to."""
        self._by_sink = dict(by_sink)
        await self._tell()

    async def note(self, notice: Notice) -> None:
        """Takes one more notice."""
        self._by_sink[notice.sink] = self.of(notice.sink).after(notice)
        await self._tell()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Returns when the condition holds; it is looked at after every notice."""
        async with self._changed:
            await self._changed.wait_for(condition)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class StandingsReader(ConnectedRole):
    """Reads what is said about the sinks, until it is stopped; after a lost connection all of it again."""

    def __init__(self, settings: WorkerSettings, standings: Standings) -> None:
        super().__init__("standings", settings)
        self._standings = standings
        self._has_read = asyncio.Event()

    async def has_read(self) -> None:
        """Returns when what was said before is known, or after some seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(FIRST_READ.total_seconds()):
                await self._has_read.wait()

    async def _session(self, connection: AbstractConnection) -> None:
        await self._until_stopped(self._read(connection))

    async def _read(self, connection: AbstractConnection) -> None:
        async with read_stream(connection, STANDING, "first") as reader:
            by_sink: dict[str, Standing] = {}
            async for notice in said_so_far(connection, reader):
                by_sink[notice.sink] = by_sink.get(notice.sink, NOTHING_SAID).after(notice)
            await self._standings.replace(by_sink)
            self._has_read.set()
            self.state.to("running")
            while True:
                message = await reader.next()
                if (said := notice_of(message.body)) is not None:
                    log.info(
                        "a sink's standing changed",
                        **{
                            log_keys.SINK: said.sink,
                            log_keys.CHANGE: said.event,
                            log_keys.REASON: said.reason,
                        },
                    )
                    await self._standings.note(said)
