"""The circuit breaker of a sink: opened by an outage, closed by the health check, never by a message."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from memlane.contracts.errors import loggable
from memlane.producers import log_keys
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.sink import Sink
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.lane")

MAX_WAIT: Final = timedelta(minutes=1)


async def check_health(sink: Sink) -> None:
    """Asks a sink that works, as far as is known. One that is only busy is well.

    Raises:
        SinkUnavailable: it does not work, whatever its health check says of it.
    """
    try:
        await sink.health()
    except SinkBusy:
        return
    except SinkUnavailable:
        raise
    except Exception as error:
        raise SinkUnavailable(f"the health check broke off: {loggable(error)}") from error


class Breaker:
    """Open while the sink is down: then its lane takes no messages.

    Args:
        sink: is probed.
        interval: between two probes.
        state: of the lane, where its reason is shown.
        stopping: ends every wait.
    """

    def __init__(self, sink: Sink, interval: timedelta, state: RoleState, stopping: asyncio.Event) -> None:
        self._sink = sink
        self._interval = interval
        self._state = state
        self._stopping = stopping
        self._wait = timedelta(0)
        self._is_open = False

    def open(self, error: Exception) -> None:
        """Notes an outage. The next wait is twice as long as the last, unless a batch was applied in between.

        A sink that passes its health check and takes nothing, such as one on a full disk, would else have
        every command delivered again and again.
        """
        self._is_open = True
        self._wait = min(self._wait * 2 or self._interval, MAX_WAIT)
        self._state.to("waiting", loggable(error))
        log.warning(
            "sink is down, its commands wait in their queue until it is back",
            **{
                log_keys.SINK: self._sink.name,
                log_keys.ERROR: loggable(error),
                log_keys.SECONDS: self._wait.total_seconds(),
            },
        )

    def applied(self) -> None:
        """Notes that the sink took a batch."""
        self._wait = timedelta(0)

    async def until_closed(self) -> bool:
        """Waits until the sink's health check succeeds.

        Returns:
            False when it was asked to stop before that.
        """
        if self._is_open:
            await self._sleep(self._wait)
        while not self._stopping.is_set():
            try:
                await self._sink.health()
            except Exception as error:  # noqa: BLE001  whatever it is, the sink is not healthy
                if self._is_open:
                    self._state.to("waiting", loggable(error))
                else:
                    self.open(error)
                await self._sleep(self._interval)
            else:
                if self._is_open:
                    log.info("sink is back, going on", **{log_keys.SINK: self._sink.name})
                self._is_open = False
                return True
        return False

    async def watch_while(self, is_idle: Callable[[], bool]) -> None:
        """Watches the sink while there is no command to fail at.

        Raises:
            SinkUnavailable: it went down.
        """
        while True:
            await asyncio.sleep(self._interval.total_seconds())
            if is_idle():
                await check_health(self._sink)

    async def _sleep(self, wait: timedelta) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(wait.total_seconds()):
                await self._stopping.wait()
