"""Redis away, hanging, or emptied."""

import asyncio

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from tests.chaos.faults.fault import Fault

_AGAIN = Retry(NoBackoff(), 3)
"""Its connections may be cut at the same moment."""


class StopRedis(Fault):
    """Stops in good order, or by SIGKILL; it keeps an append-only file, so its data is there again."""

    kind = "stop-redis"
    touches = frozenset({"redis"})

    async def begin(self) -> str:
        """See `Fault`."""
        killed = self.rng.random() < 0.5
        await asyncio.to_thread(self.world.redis.kill if killed else self.world.redis.stop)
        return "killed" if killed else "stopped"

    async def heal(self) -> None:
        """Starts it on the same data."""
        await asyncio.to_thread(self.world.redis.start)


class FreezeRedis(Fault):
    """SIGSTOP: connections stay open, nothing answers; what was asked may be done later."""

    kind = "freeze-redis"
    touches = frozenset({"redis"})
    lasts = (1.0, 6.0)

    async def begin(self) -> str:
        """See `Fault`."""
        self.world.redis.freeze()
        return "frozen"

    async def heal(self) -> None:
        """SIGCONT."""
        self.world.redis.thaw()


class FlushRedis(Fault):
    """FLUSHALL: the store is gone, and must be filled again from the command log."""

    kind = "flush-redis"
    touches = frozenset({"redis"})
    lasts = (0.0, 0.0)

    async def begin(self) -> str:
        """See `Fault`."""
        async with Redis.from_url(self.world.redis.url, retry=_AGAIN) as redis:
            await redis.flushall()
        return "flushed"

    async def heal(self) -> None:
        """That is up to memlane."""
