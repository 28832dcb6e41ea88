"""The client's methods, bound to one user."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from memlane.contracts.canonical import Json
from memlane.contracts.entry import Entry
from memlane.contracts.receipt import Receipt
from memlane.contracts.reply import PageAnswer, StatsAnswer

if TYPE_CHECKING:
    from memlane.producers.client.memory_client import MemoryClient


class UserMemory:
    """One user's memory. Each method is `MemoryClient`'s of the same name, without its first argument."""

    def __init__(self, client: "MemoryClient", user_id: str) -> None:
        self._client = client
        self.user_id = user_id

    # Any, here and below: the options are those of the client's method, which checks them.
    async def store(self, key: str, value: Json, **options: Any) -> Receipt:
        """See `MemoryClient.store`."""
        return await self._client.store(self.user_id, key, value, **options)

    async def store_many(self, values: Mapping[str, Json], **options: Any) -> list[Receipt]:
        """See `MemoryClient.store_many`."""
        return await self._client.store_many(self.user_id, values, **options)

    async def get(self, key: str, **options: Any) -> Entry | None:
        """See `MemoryClient.get`."""
        return await self._client.get(self.user_id, key, **options)

    async def get_many(self, keys: Iterable[str], **options: Any) -> dict[str, Entry | None]:
        """See `MemoryClient.get_many`."""
        return await self._client.get_many(self.user_id, keys, **options)

    async def list(self, **options: Any) -> PageAnswer:
        """See `MemoryClient.list`."""
        return await self._client.list(self.user_id, **options)

    def iterate(self, **options: Any) -> AsyncIterator[Entry]:
        """See `MemoryClient.iterate`."""
        return self._client.iterate(self.user_id, **options)

    async def search(self, text: str = "", **options: Any) -> PageAnswer:
        """See `MemoryClient.search`."""
        return await self._client.search(self.user_id, text, **options)

    async def stats(self) -> StatsAnswer:
        """See `MemoryClient.stats`."""
        return await self._client.stats(self.user_id)

    async def delete(self, key: str, **options: Any) -> Receipt:
        """See `MemoryClient.delete`."""
        return await self._client.delete(self.user_id, key, **options)

    async def delete_namespace(self, namespace: str, **options: Any) -> Receipt:
        """See `MemoryClient.delete_namespace`."""
        return await self._client.delete_namespace(self.user_id, namespace, **options)

    async def forget(self, **options: Any) -> Receipt:
        """See `MemoryClient.forget`."""
        return await self._client.forget(self.user_id, **options)
