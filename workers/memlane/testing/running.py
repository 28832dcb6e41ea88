"""memlane in a thread of this process, on real servers: for tests of programs that use it."""

import asyncio
import threading
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from memlane.client import MemoryClient, SyncMemoryClient
from memlane.producers.settings import ClientSettings
from memlane.storage.settings import SinkSettings
from memlane.testing.settings import only_passed
from memlane.workers.service import everything, run_until
from memlane.workers.settings import WorkerSettings

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0

# Any: what the settings take.
_QUICK: Final[dict[str, Any]] = {"drain_timeout": "2s", "backup_schedule": ""}
"""A test is over soon, and makes no backups."""


class RunningMemlane:
    """Every role of memlane on a virtual host, until it is left. Used as a context.

    Args:
        worker: settings of the roles, the broker's URL among them.
        sinks: settings of the sinks.
        folder: for the clients' clocks and outboxes.
    """

    def __init__(self, worker: WorkerSettings, sinks: SinkSettings, folder: Path) -> None:
        self._worker = worker
        self._sinks = sinks
        self._folder = folder
        self._thread = threading.Thread(target=self._run, name="memlane", daemon=True)
        self._started: Future[None] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._serving: asyncio.Task[None] | None = None
        self._failure: BaseException | None = None

    @property
    def amqp_url(self) -> str:
        """Where its broker is: a virtual host of its own."""
        return self._worker.url

    def environment(self) -> dict[str, str]:
        """The variables by which a program finds it that runs as a process of its own."""
        return {"MEMLANE_AMQP_URL": self.amqp_url, "MEMLANE_STATE_DIR": str(self._folder)}

    # Any: the settings' model checks them.
    def client(self, **settings: Any) -> MemoryClient:
        """A client, to be used as an asynchronous context."""
        return MemoryClient(settings=self._client_settings(settings))

    def sync_client(self, **settings: Any) -> SyncMemoryClient:
        """A client for programs without an event loop, to be used as a context."""
        return SyncMemoryClient(settings=self._client_settings(settings))

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            MemlaneError: it can't start.
            TimeoutError: it did not start within a minute.
        """
        self._thread.start()
        try:
            self._started.result(START_SECONDS)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Has it finish what it has in hand, and end.

        Raises:
            MemlaneError: it had broken off by then.
            TimeoutError: it does not end.
        """
        self._end()
        if error is None and self._failure is not None:
            raise self._failure

    def _end(self) -> None:
        if self._loop is not None and self._serving is not None and self._stopping is not None:
            stop = self._stopping.set if self._started.done() else self._serving.cancel
            with suppress(RuntimeError):  # the loop is closed: it has ended by itself
                self._loop.call_soon_threadsafe(stop)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"memlane does not end within {STOP_SECONDS:g} s")

    def _client_settings(self, said: dict[str, Any]) -> ClientSettings:
        return only_passed(
            ClientSettings,
            **{"amqp_url": self.amqp_url, "state_dir": self._folder, "deadline": "10s", **said},
        )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001  whatever it is, whoever waits is to see it
            if self._started.done():
                self._failure = error
            else:
                self._started.set_exception(error)

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        started = asyncio.Event()
        plan = everything(self._worker)
        serving = asyncio.create_task(run_until(self._stopping, plan, self._worker, self._sinks, started))
        self._serving = serving
        waiting = asyncio.create_task(started.wait())
        await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if started.is_set():
            self._started.set_result(None)
        await serving


# Any: what the settings take.
def quick_settings(amqp_url: str, **said: Any) -> WorkerSettings:
    """Settings of roles that are to end soon; what is said goes first. The environment says nothing."""
    return only_passed(WorkerSettings, **{"amqp_url": amqp_url, **_QUICK, **said})
