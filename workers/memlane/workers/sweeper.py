"""Does what is due by time: expired entries become expired rows, rows under scope marks go."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog

from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.instants import now as wall_clock
from memlane.producers import log_keys
from memlane.storage.errors import SinkError
from memlane.storage.sink import Sink
from memlane.workers.settings import WorkerSettings
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.sweeper")


class Sweeper:
    """Sweeps one sink at an interval, until it is stopped. Each round recounts one bucket."""

    def __init__(
        self, sink: Sink, settings: WorkerSettings, *, now: Callable[[], datetime] = wall_clock
    ) -> None:
        self.state = RoleState(f"sweeper {sink.name}")
        self._sink = sink
        self._settings = settings
        self._now = now
        self._stopping = asyncio.Event()
        self._bucket = 0

    def stop(self) -> None:
        """Asks it to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until stopped. A sink that is down is left for the next round."""
        self.state.to("running")
        while not self._stopping.is_set():
            try:
                await self.sweep()
            except SinkError as error:
                log.warning(
                    "sweep left for the next round",
                    **{log_keys.SINK: self._sink.name, log_keys.ERROR: str(error)},
                )
            except Exception:
                log.exception("sweep broke off, left for the next round", **{log_keys.SINK: self._sink.name})
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.sweep_interval.total_seconds()):
                    await self._stopping.wait()
        self.state.to("stopped")

    async def sweep(self) -> None:
        """One round: all that is due, in bounded steps, and the recount of the next bucket."""
        report = await self._sink.sweep(self._now(), recount=self._bucket)
        where = {log_keys.SINK: self._sink.name, log_keys.BUCKET: self._bucket}
        if report.corrected:
            log.error("a digest did not agree with its rows, and was set right", **where)
        if report.damaged:
            log.error(
                "rows are not what was stored, whatever another sink holds there takes their place",
                **where,
                **{log_keys.COUNT: report.damaged},
            )
        self._bucket = (self._bucket + 1) % BUCKETS
        while report.more and not self._stopping.is_set():
            report = await self._sink.sweep(self._now())
