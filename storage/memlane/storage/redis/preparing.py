"""Whether this Redis can be a sink, and the store's identity in it."""

from typing import Final
from uuid import uuid4

from redis.exceptions import ResponseError

from memlane.storage.errors import SinkMisconfigured
from memlane.storage.redis.client import Client

SCHEMA: Final = "1"
"""The number of the layout that `lua/common.lua` describes."""

_POLICY: Final = "maxmemory-policy"
_KEEPING: Final = "noeviction"


def new_incarnation() -> str:
    """An id for a store that has none."""
    return str(uuid4())


async def check_policy(client: Client) -> None:
    """Refuses a server that may evict keys, also where it has no memory limit yet: it would diverge for ever.

    Raises:
        SinkMisconfigured: the policy is not `noeviction`, or can't be read.
    """
    policy = await _read_policy(client)
    if policy is None:
        raise SinkMisconfigured(
            f"can't read the {_POLICY} of Redis at {client.where}",
            hint="give its user the right to CONFIG GET or INFO",
        )
    if policy != _KEEPING:
        raise SinkMisconfigured(
            f"Redis at {client.where} has the {_POLICY} {policy}, which drops memories at will",
            hint=f"set {_POLICY} {_KEEPING}, or name another Redis in MEMLANE_REDIS_URL",
        )


async def prepare(client: Client) -> None:
    """Gives a new store its schema number and its incarnation id.

    Raises:
        SinkMisconfigured: the store was made by another version of memlane.
    """
    await client.set_meta_once("schema", SCHEMA)
    found = await client.meta("schema")
    if found != SCHEMA:
        raise SinkMisconfigured(
            f"the store in Redis at {client.where} has schema {found}, this memlane works with {SCHEMA}",
            hint="run the memlane that made it, or set another MEMLANE_REDIS_PREFIX",
        )
    await client.set_meta_once("incarnation", new_incarnation())


async def _read_policy(client: Client) -> str | None:
    try:
        policy = await client.setting(_POLICY)
    except ResponseError:  # many hosted servers forbid or rename CONFIG
        policy = None
    if policy is None:
        try:
            policy = str((await client.information("memory"))["maxmemory_policy"])
        except (ResponseError, KeyError):
            return None
    return policy
