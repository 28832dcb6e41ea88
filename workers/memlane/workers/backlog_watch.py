"""Keeps an endless backlog from filling the broker's disk: that would stop everyone.

A lane with more than `max_backlog` messages is cut off: it takes no further commands, and its sink is
rebuilding. What it has stays. When a worker has brought it down to a half, it takes commands again.
"""

from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import PublishFailed
from memlane.contracts.topology import COMMANDS, lane_queue
from memlane.producers import log_keys
from memlane.producers.broker.connection import user_of
from memlane.producers.broker.declare import queue_depths
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings

log: Final = structlog.get_logger("memlane.backlog")


class BacklogWatch(ConnectedRole):
    """Looks at all lanes' backlogs until it is stopped. Any number of them may run.

    Args:
        settings: of this worker.
        standings: which lanes are cut off.
    """

    def __init__(self, settings: WorkerSettings, standings: Standings) -> None:
        super().__init__("backlog watch", settings)
        self._standings = standings

    async def _session(self, connection: AbstractConnection) -> None:
        publisher = await Publisher.open(connection, user_id=user_of(self._settings.url))
        self.state.to("running")
        while not self._stopping.is_set():
            try:
                await self._look(connection, publisher)
            except PublishFailed as error:
                # The broker takes nothing now. What is to be said is said at the next look.
                self.state.to("waiting", str(error))
            else:
                self.state.to("running")
            await self._pause(self._settings.watch_interval)

    async def _look(self, connection: AbstractConnection, publisher: Publisher) -> None:
        names = [lane_queue(sink) for sink in self._settings.sink_names]
        depths = await queue_depths(connection, names)
        for sink in self._settings.sink_names:
            depth = depths[lane_queue(sink)]
            if depth is None:
                continue
            backlog, consumers = depth
            is_cut_off = self._standings.of(sink).cut_off is not None
            if not is_cut_off and backlog > self._settings.max_backlog:
                await self._cut_off(connection, publisher, sink, backlog)
            elif is_cut_off and backlog > self._settings.max_backlog:
                # Whoever said so may have ended before it was done; again does no harm.
                await self._unbind(connection, sink)
            elif is_cut_off and consumers and backlog <= self._settings.max_backlog // 2:
                await self._join(connection, publisher, sink)

    async def _cut_off(
        self, connection: AbstractConnection, publisher: Publisher, sink: str, backlog: int
    ) -> None:
        # Said first: a lane that misses commands and is not known to would be believed.
        most = self._settings.max_backlog
        reason = f"{backlog:,} messages waited for it, more than the {most:,} of max_backlog"
        await say(publisher, sink, "cut-off", reason=reason)
        await self._unbind(connection, sink)
        log.error(
            "lane is cut off: it takes no further commands, and its sink is not asked until it is rebuilt",
            **{log_keys.SINK: sink, log_keys.COUNT: backlog},
        )

    async def _unbind(self, connection: AbstractConnection, sink: str) -> None:
        async with connection.channel() as channel:
            await (await channel.get_queue(lane_queue(sink), ensure=False)).unbind(COMMANDS)

    async def _join(self, connection: AbstractConnection, publisher: Publisher, sink: str) -> None:
        async with connection.channel() as channel:
            await (await channel.get_queue(lane_queue(sink), ensure=False)).bind(COMMANDS)
        await say(publisher, sink, "joined")
        log.warning("lane takes commands again; its sink is rebuilt now", **{log_keys.SINK: sink})
