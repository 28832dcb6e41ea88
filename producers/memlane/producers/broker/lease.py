"""A lease over the broker: one holder at a time, anywhere; it ends with the holder's connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError, ChannelLockedResource

from memlane.contracts.errors import MemlaneError


class LeaseTaken(MemlaneError):
    """Somebody else holds it."""


@asynccontextmanager
async def lease(connection: AbstractConnection, name: str) -> AsyncIterator[None]:
    """Holds a lease: an exclusive queue `memlane.lease.<name>`, of which the broker lets there be one.

    Raises:
        LeaseTaken: another connection holds it.
    """
    channel = await connection.channel()
    try:
        queue = await channel.declare_queue(f"memlane.lease.{name}", exclusive=True)
    except ChannelLockedResource as error:
        raise LeaseTaken(f"somebody else does {name} now", hint="wait until that is done") from error
    try:
        yield
    finally:
        with suppress(AMQPError):
            await queue.delete()
            await channel.close()
