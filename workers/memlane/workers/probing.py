"""Waiting for a sink that is down: probed by its health check, never with messages."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from memlane.contracts.errors import loggable
from memlane.producers import log_keys
from memlane.storage.sink import Sink
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.sink")


async def wait_until_healthy(
    sink: Sink, interval: timedelta, stopping: asyncio.Event, state: RoleState
) -> bool:
    """Waits until the sink's health check succeeds.

    Returns:
        False when it was asked to stop before that.
    """
    waiting = False
    while not stopping.is_set():
        try:
            await sink.health()
        except Exception as error:  # noqa: BLE001  whatever it is, the sink is not healthy
            state.to("waiting", loggable(error))
            if not waiting:
                log.warning(
                    "sink is down, its commands wait in their queue until it is back",
                    **{log_keys.SINK: sink.name, log_keys.ERROR: loggable(error)},
                )
            waiting = True
            with suppress(TimeoutError):
                async with asyncio.timeout(interval.total_seconds()):
                    await stopping.wait()
        else:
            if waiting:
                log.info("sink is back, going on", **{log_keys.SINK: sink.name})
            return True
    return False
