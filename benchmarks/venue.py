"""Where benchmarks run: a RabbitMQ without another memlane on it, a Redis, a folder, and how much to do."""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import redis

from benchmarks import queues
from memlane.testing.servers import PrivateRabbitMQ, PrivateRedis

SINKS: Final = ("sqlite", "redis")
"""What a deployment has by default; their queues are declared where a benchmark publishes."""


@dataclass(frozen=True, slots=True)
class Venue:
    """Servers, a folder, and how much to do.

    Attributes:
        amqp_url: of a broker with no other memlane on it.
        redis_url: of a server whose keys under `redis_prefix` are this run's own.
        redis_prefix: likewise.
        folder: for databases and prepared messages; removed afterwards.
        quick: about a tenth of the work.
        exits: what is to be ended afterwards, too.
    """

    amqp_url: str
    redis_url: str
    redis_prefix: str
    folder: Path
    quick: bool
    exits: ExitStack = field(repr=False, compare=False)

    def turns(self, full: int) -> int:
        """Of each side."""
        return 2 if self.quick else full

    def size(self, full: int, quick: int) -> int:
        """How much to do in a turn."""
        return quick if self.quick else full

    @contextmanager
    def topology(self, sinks: Sequence[str] = SINKS) -> Iterator[None]:
        """The queues of these sinks and the exchanges, made anew; removed afterwards."""
        asyncio.run(queues.declare(self.amqp_url, sinks))
        try:
            yield
        finally:
            asyncio.run(queues.remove(self.amqp_url, sinks))


@contextmanager
def open_venue(*, quick: bool) -> Iterator[Venue]:
    """A venue. The servers of the environment are used where they can be, else private ones are started.

    A broker that has memlane's exchanges cannot: the load would go to somebody's sinks.

    Raises:
        ServerError: there is no server to run on.
    """
    with ExitStack() as exits:
        folder = Path(exits.enter_context(tempfile.TemporaryDirectory(prefix="memlane-bench-")))
        prefix = folder.name
        redis_url = os.environ.get("MEMLANE_REDIS_URL")
        if redis_url is None:
            redis_url = exits.enter_context(PrivateRedis(folder / "redis")).url
        exits.callback(_remove_keys, redis_url, prefix)
        amqp_url = os.environ.get("MEMLANE_AMQP_URL")
        if amqp_url is None or asyncio.run(queues.in_use(amqp_url)):
            amqp_url = exits.enter_context(PrivateRabbitMQ(folder / "rabbitmq")).url
        yield Venue(amqp_url, redis_url, prefix, folder, quick, exits)


def _remove_keys(url: str, prefix: str) -> None:
    with redis.Redis.from_url(url) as client:
        position = None
        while position != 0:
            position, keys = client.scan(position or 0, match=f"{prefix}:*", count=1000)
            if keys:
                client.unlink(*keys)
