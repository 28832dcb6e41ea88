"""What the roles have in common that work on a connection to the broker."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta

from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import loggable
from memlane.producers.broker.connection import keep_connected
from memlane.producers.ending import end
from memlane.workers.settings import WorkerSettings
from memlane.workers.state import RoleState


class ConnectedRole(ABC):
    """Works until it is stopped, and reconnects by itself.

    Args:
        name: of the role, as people see it.
        settings: of this worker.
    """

    def __init__(self, name: str, settings: WorkerSettings) -> None:
        self.state = RoleState(name)
        self._settings = settings
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Asks it to finish what it has in hand, and to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until stopped.

        Raises:
            BrokerRefused: at the very first; trying again would not help.
        """
        try:
            await keep_connected(
                self._settings.url,
                f"memlane {self.state.role}",
                self._session,
                on_down=lambda error: self.state.to("waiting", loggable(error)),
                stopping=self._stopping,
            )
        finally:
            self.state.to("stopped")

    @abstractmethod
    async def _session(self, connection: AbstractConnection) -> None:
        """Works on a connection; returns when it is to stop, and is cancelled when the connection is lost."""

    async def _pause(self, time: timedelta) -> None:
        """Waits so long, or until it is to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(time.total_seconds()):
                await self._stopping.wait()

    async def _until_stopped(self, working: Coroutine[None, None, None]) -> None:
        """Does something that can be broken off when it is to stop."""
        task = asyncio.ensure_future(working)
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({task, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
        finally:
            await end(task, stopped)
