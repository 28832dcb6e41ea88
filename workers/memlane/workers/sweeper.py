"""Does what is due by time: what has expired becomes expired rows, rows under marks and old deletes go."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import structlog

from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.instants import from_microseconds
from memlane.contracts.instants import now as wall_clock
from memlane.contracts.version import make_version
from memlane.producers import log_keys
from memlane.storage.errors import SinkError
from memlane.storage.sink import Sink
from memlane.workers.settings import WorkerSettings
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.sweeper")


_EPOCH: Final = from_microseconds(0)
_DAY: Final = timedelta(days=1)


def floor_at(now: datetime, age: timedelta) -> str:
    """The version below which deletes of that age are forgotten.

    Of a whole day in UTC, so that all sinks come to the same, and their digests agree.
    """
    days = max(timedelta(0), now - age - _EPOCH) // _DAY
    return make_version(days * (_DAY // timedelta(milliseconds=1)), 0)


class Sweeper:
    """Sweeps one sink at an interval, and recounts one bucket's digest at a shorter one, until it is stopped.

    Args:
        sink: entered.
        settings: of this worker.
        now: the worker's clock.
    """

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
        async with asyncio.TaskGroup() as group:
            group.create_task(self._every(self._settings.sweep_interval, self.sweep))
            group.create_task(self._every(self._settings.recount_interval, self.recount))
        self.state.to("stopped")

    async def sweep(self) -> None:
        """All that is due, in bounded steps."""
        more, forgotten = True, 0
        while more and not self._stopping.is_set():
            now, age = self._now(), self._settings.tombstone_age
            report = await self._sink.sweep(now, floor=None if age is None else floor_at(now, age))
            more, forgotten = report.more, forgotten + report.forgotten
        if forgotten:
            log.info(
                "deletes were forgotten, as they are older than MEMLANE_TOMBSTONE_AGE",
                **{log_keys.SINK: self._sink.name, log_keys.COUNT: forgotten},
            )

    async def recount(self) -> None:
        """The recount of the next bucket."""
        bucket, self._bucket = self._bucket, (self._bucket + 1) % BUCKETS
        report = await self._sink.sweep(self._now(), limit=0, recount=bucket)
        where = {log_keys.SINK: self._sink.name, log_keys.BUCKET: bucket}
        if report.corrected:
            log.error("a digest did not agree with its rows, and was set right", **where)
        if report.damaged:
            log.error(
                "rows are not what was stored, whatever another sink holds there takes their place",
                **where,
                **{log_keys.COUNT: report.damaged},
            )

    async def _every(self, interval: timedelta, work: Callable[[], Awaitable[None]]) -> None:
        while not self._stopping.is_set():
            try:
                await work()
            except SinkError as error:
                log.warning(
                    "sweep left for the next round",
                    **{log_keys.SINK: self._sink.name, log_keys.ERROR: str(error)},
                )
            except Exception:
                log.exception("sweep broke off, left for the next round", **{log_keys.SINK: self._sink.name})
            with suppress(TimeoutError):
                async with asyncio.timeout(interval.total_seconds()):
                    await self._stopping.wait()
