"""The Redis sink is held to what every sink promises."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from redis import Redis

from memlane.contracts.address import Address
from memlane.contracts.fingerprint import address_hash
from memlane.storage.conformance import DamageConformance, SinkConformance
from memlane.storage.redis import RedisSink
from memlane.storage.sink import Sink


class TestRedisSink(SinkConformance):
    """Everything that every sink promises."""

    @pytest_asyncio.fixture
    async def sink(self, redis_url: str, redis_prefix: str) -> AsyncIterator[Sink]:
        """New keys for each test."""
        async with RedisSink(redis_url, prefix=redis_prefix) as sink:
            yield sink


class TestDamagedRedisSink(DamageConformance):
    """Damage is seen, and mended."""

    redis: Redis
    prefix: str

    @pytest.fixture(autouse=True)
    def behind_its_back(self, redis_url: str, redis_prefix: str) -> Iterator[None]:
        """A connection of one's own."""
        with Redis.from_url(redis_url, decode_responses=True) as redis:
            self.redis, self.prefix = redis, redis_prefix
            yield

    @pytest_asyncio.fixture
    async def sink(self, redis_url: str, redis_prefix: str) -> AsyncIterator[Sink]:
        """New keys for each test."""
        async with RedisSink(redis_url, prefix=redis_prefix) as sink:
            yield sink

    async def spoil_digest(self, sink: Sink, bucket: int) -> None:
        """Adds one row that is not there."""
        assert isinstance(sink, RedisSink)
        assert self.redis.hincrby(f"{self.prefix}:digests", f"{bucket:03x}:count", 1) == 2

    async def spoil_content(self, sink: Sink, place: Address) -> None:
        """Changes a value."""
        assert isinstance(sink, RedisSink)
        assert self.redis.hset(f"{self.prefix}:row:{address_hash(*place)}", "value", '"changed"') == 0

    async def spoil_hash(self, sink: Sink, place: Address, hash_: str) -> None:
        """Changes the field."""
        assert isinstance(sink, RedisSink)
        assert self.redis.hset(f"{self.prefix}:row:{address_hash(*place)}", "hash", hash_) == 0

    async def remove_row(self, sink: Sink, place: Address) -> None:
        """Deletes its key; its members in the indexes stay."""
        assert isinstance(sink, RedisSink)
        assert self.redis.delete(f"{self.prefix}:row:{address_hash(*place)}") == 1
