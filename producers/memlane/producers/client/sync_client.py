"""The client for programs without an event loop: the same names, each call blocks until it is done."""

import asyncio
import threading
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, TypeVar

from memlane.contracts.canonical import Json
from memlane.contracts.entry import Entry
from memlane.contracts.errors import BrokerUnreachable
from memlane.contracts.receipt import Receipt
from memlane.contracts.reply import PageAnswer, StatsAnswer
from memlane.producers.client.health import Health
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.outbox.status import OutboxStatus
from memlane.producers.settings import ClientSettings

Result = TypeVar("Result")


class SyncMemoryClient:
    """`MemoryClient` on an event loop of its own, in a thread. Used as a context manager.

    Safe for several threads. Options (`**options`) are those of the method of the same name.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        deadline: timedelta | None = None,
        settings: ClientSettings | None = None,
    ) -> None:
        self._arguments = (url, deadline, settings)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._client: MemoryClient | None = None

    def __enter__(self) -> Self:
        """Connects. Raises as `MemoryClient`."""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="memlane client", daemon=True)
        self._thread.start()
        try:
            self._client = self._run(self._open())
        except BaseException:
            self._end_thread()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Waits for the confirms of what is under way, and disconnects."""
        try:
            self._run(self._memory.__aexit__(kind, error, trace))
        finally:
            self._client = None
            self._end_thread()

    # Any, here and below: the options are those of the asynchronous client, which checks them.
    def store(self, user_id: str, key: str, value: Json, **options: Any) -> Receipt:
        """See `MemoryClient.store`."""
        return self._run(self._memory.store(user_id, key, value, **options))

    def store_many(self, user_id: str, values: Mapping[str, Json], **options: Any) -> list[Receipt]:
        """See `MemoryClient.store_many`."""
        return self._run(self._memory.store_many(user_id, values, **options))

    def delete(self, user_id: str, key: str, **options: Any) -> Receipt:
        """See `MemoryClient.delete`."""
        return self._run(self._memory.delete(user_id, key, **options))

    def delete_namespace(self, user_id: str, namespace: str, **options: Any) -> Receipt:
        """See `MemoryClient.delete_namespace`."""
        return self._run(self._memory.delete_namespace(user_id, namespace, **options))

    def forget(self, user_id: str, **options: Any) -> Receipt:
        """See `MemoryClient.forget`."""
        return self._run(self._memory.forget(user_id, **options))

    def get(self, user_id: str, key: str, **options: Any) -> Entry | None:
        """See `MemoryClient.get`."""
        return self._run(self._memory.get(user_id, key, **options))

    def get_many(self, user_id: str, keys: Iterable[str], **options: Any) -> dict[str, Entry | None]:
        """See `MemoryClient.get_many`."""
        return self._run(self._memory.get_many(user_id, keys, **options))

    def list(self, user_id: str, **options: Any) -> PageAnswer:
        """See `MemoryClient.list`."""
        return self._run(self._memory.list(user_id, **options))

    def iterate(self, user_id: str, **options: Any) -> Iterator[Entry]:
        """See `MemoryClient.iterate`."""
        entries = self._memory.iterate(user_id, **options)
        while True:
            try:
                yield self._run(_next(entries))
            except StopAsyncIteration:
                return

    def search(self, user_id: str, text: str = "", **options: Any) -> PageAnswer:
        """See `MemoryClient.search`."""
        return self._run(self._memory.search(user_id, text, **options))

    def stats(self, user_id: str | None = None) -> StatsAnswer:
        """See `MemoryClient.stats`."""
        return self._run(self._memory.stats(user_id))

    def health(self) -> Health:
        """See `MemoryClient.health`."""
        return self._run(self._memory.health())

    def flush(self, within: timedelta | None = None) -> OutboxStatus:
        """See `MemoryClient.flush`."""
        return self._run(self._memory.flush(within))

    @property
    def blocked(self) -> str | None:
        """See `MemoryClient.blocked`."""
        return self._memory.blocked

    @property
    def _memory(self) -> MemoryClient:
        if self._client is None:
            raise BrokerUnreachable("the client is not open", hint="use it in a `with` block")
        return self._client

    async def _open(self) -> MemoryClient:
        url, deadline, settings = self._arguments
        return await self._make_client(url, deadline, settings).__aenter__()

    def _make_client(
        self, url: str | None, deadline: timedelta | None, settings: ClientSettings | None
    ) -> MemoryClient:
        return MemoryClient(url, deadline=deadline, settings=settings)

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            work.close()
            raise BrokerUnreachable("the client is not open", hint="use it in a `with` block")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _end_thread(self) -> None:
        if self._loop is not None and self._thread is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
        self._loop = self._thread = None


# Any: an async iterator's __anext__ is awaitable, but run_coroutine_threadsafe wants a coroutine.
async def _next(entries: Any) -> Entry:
    entry: Entry = await anext(entries)
    return entry
