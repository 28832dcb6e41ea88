"""The typed edge of redis-py: a bounded pool of connections, scripts, and a few commands."""

from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final, cast

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError

from memlane.storage.errors import SinkMisconfigured
from memlane.storage.redis.failures import translated
from memlane.storage.redis.scripts import Script

Reply = Any
"""What a script answers. Any: a tree of texts, integers and lists whose shape only the script says."""

MAX_CONNECTIONS: Final = 16


class Client:
    """Connections to one Redis. Opened with the first command, so nothing connects here.

    Args:
        url: of the server and its database.
        prefix: what all keys begin with.
        timeout: how long to wait for an answer, for a connection to be made, or for one to become free.

    Raises:
        SinkMisconfigured: the URL can't be read.
    """

    def __init__(self, url: str, prefix: str, timeout: timedelta) -> None:
        options = _parse(url)
        self.where = options.get("path") or f"{options.get('host', 'localhost')}:{options.get('port', 6379)}"
        self._meta = f"{prefix}:meta"
        seconds = timeout.total_seconds()
        pool = BlockingConnectionPool(
            **{
                "max_connections": MAX_CONNECTIONS,
                **options,
                "timeout": seconds,
                "socket_timeout": seconds,
                "socket_connect_timeout": seconds,
                # Once more on a new connection; a timeout is not tried again: its time is up.
                "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
                "protocol": 2,
                "decode_responses": True,
                # Bytes that somebody else damaged are shown as such, and their row as not intact.
                "encoding_errors": "replace",
            }
        )
        # Any: redis-py's methods are typed for its synchronous client as well, as a union that fits neither.
        self._redis: Any = Redis.from_pool(pool)

    async def close(self) -> None:
        """Closes all connections."""
        await self._redis.aclose()

    def translated(self) -> AbstractContextManager[None]:
        """See `memlane.storage.redis.failures`."""
        return translated(self.where)

    async def run(self, script: Script, *arguments: str | int) -> Reply:
        """Runs a script, which Redis is sent once; again where it has forgotten it."""
        try:
            return await self._redis.evalsha(script.digest, 1, self._meta, *arguments)
        except NoScriptError:
            return await self._redis.eval(script.source, 1, self._meta, *arguments)

    async def set_meta_once(self, field: str, value: str) -> bool:
        """Gives the store's `meta` a field, unless it has it. A write: fails where writes are refused."""
        return cast("int", await self._redis.hsetnx(self._meta, field, value)) == 1

    async def meta(self, field: str) -> str | None:
        """A field of the store's `meta`."""
        return cast("str | None", await self._redis.hget(self._meta, field))

    async def metas(self, *fields: str) -> list[str | None]:
        """Several fields of the store's `meta`, in one step."""
        return cast("list[str | None]", await self._redis.hmget(self._meta, list(fields)))

    async def set_members(self, name: str) -> list[str]:
        """All members of the set `<prefix>:<name>`."""
        return list(cast("set[str]", await self._redis.smembers(self._key(name))))

    async def setting(self, name: str) -> str | None:
        """A setting of the server, by `CONFIG GET`."""
        return cast("dict[str, str]", await self._redis.config_get(name)).get(name)

    async def information(self, section: str) -> dict[str, str | int | float]:
        """What the server says of itself, by `INFO`."""
        return cast("dict[str, str | int | float]", await self._redis.info(section))

    def _key(self, name: str) -> str:
        return f"{self._meta.removesuffix('meta')}{name}"


def _parse(url: str) -> dict[str, Any]:
    # Any: redis-py's keyword arguments. The error is not chained: its text may hold parts of a password.
    try:
        return dict(parse_url(url))
    except ValueError:
        pass
    raise SinkMisconfigured(
        "the Redis URL can't be read",
        hint="write it as redis://user:password@host:6379/0, special characters as %xx",
    )
