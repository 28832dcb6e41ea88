"""`memlane up` and its parts as they run in a process, started and stopped within a test."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from memlane.storage.settings import SinkSettings
from memlane.workers.service import Plan, everything, serve
from memlane.workers.settings import WorkerSettings
from tests.support.waiting import SOON, wait_until

Ready = tuple[int, dict[str, dict[str, str]]]
"""The HTTP status of `/readyz`, and each role's condition and reason."""


class Served:
    """A service that runs in this process."""

    def __init__(self, settings: WorkerSettings, task: asyncio.Task[None]) -> None:
        self.task = task
        self._url = f"http://{settings.health_host}:{settings.health_port}"

    def terminate(self) -> None:
        """What a supervisor does first."""
        os.kill(os.getpid(), signal.SIGTERM)

    async def ended(self) -> None:
        """Waits for the end; raises what the service raises."""
        async with asyncio.timeout(SOON.total_seconds()):
            await self.task

    async def until_ready(self, status: int) -> Ready:
        """Waits until `/readyz` answers with this status."""
        last: Ready = (0, {})

        async def has_status() -> bool:
            nonlocal last
            if self.task.done():
                self.task.result()
            last = await self.ready()
            return last[0] == status

        await wait_until(has_status, f"/readyz says {status}")
        return last

    async def ready(self) -> Ready:
        """What `/readyz` says; status 0 while nobody listens."""
        with suppress(aiohttp.ClientError):
            async with aiohttp.ClientSession() as session, session.get(f"{self._url}/readyz") as answer:
                return answer.status, (await answer.json())["roles"]
        return 0, {}

    async def live(self) -> int:
        """The HTTP status of `/livez`."""
        async with aiohttp.ClientSession() as session, session.get(f"{self._url}/livez") as answer:
            return answer.status


@asynccontextmanager
async def serving(
    settings: WorkerSettings, sink_settings: SinkSettings, plan: Plan | None = None
) -> AsyncIterator[Served]:
    """Runs a plan (by default everything), and terminates it as a supervisor does."""
    task = asyncio.create_task(serve(plan or everything(settings), settings, sink_settings))
    served = Served(settings, task)
    try:
        yield served
        if not task.done():
            served.terminate()
        await served.ended()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
