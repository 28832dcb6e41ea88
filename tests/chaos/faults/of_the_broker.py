"""The broker away, in good order or not, and the network to it."""

import asyncio
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.faults.fault import Fault


class RestartBroker(Fault):
    """Stops in good order, and starts again."""

    kind = "restart-broker"
    touches = frozenset({"broker"})
    lasts = (0.0, 3.0)

    async def begin(self) -> str:
        """See `Fault`."""
        await asyncio.to_thread(self.world.rabbitmq.stop)
        return "stopped"

    async def heal(self) -> None:
        """Starts it on the same data."""
        await self.world.start_broker()


class KillBroker(RestartBroker):
    """SIGKILL of the whole node."""

    kind = "kill-broker"

    async def begin(self) -> str:
        """See `Fault`."""
        await asyncio.to_thread(self.world.rabbitmq.kill)
        return "killed"


class DropConnections(Fault):
    """Cuts the connections to the broker, or to Redis; before that, answers may be lost for a while.

    What was published then may have been confirmed, and nobody knows.
    """

    kind = "drop-connections"
    touches = frozenset({"network"})
    lasts = (0.2, 4.0)

    async def begin(self) -> str:
        """See `Fault`."""
        whose = self.rng.choice(("producers", "workers"))
        self._proxy = self.world.networks[whose].proxy
        how = self.rng.choice(("cut", "no answers, then cut", "nothing goes through, then cut"))
        if how.startswith("no answers"):
            self._proxy.freeze_answers()
        elif how.startswith("nothing"):
            self._proxy.freeze()
        else:
            self._proxy.cut()
        if self.rng.random() < 0.4:
            how += ", and Redis' as well"
            await self._cut_redis()
        return f"of the {whose}: {how}"

    async def heal(self) -> None:
        """Cuts them once more, and lets everything through."""
        self._proxy.cut()
        self._proxy.thaw()

    async def _cut_redis(self) -> None:
        # Redis may be stopped or frozen at the same moment.
        with suppress(RedisError):
            async with Redis.from_url(self.world.redis.url, socket_timeout=1) as redis:
                await redis.client_kill_filter(_type="normal", skipme=True)
