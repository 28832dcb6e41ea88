"""How long the oldest command has waited in a lane: the log knows, which every command went to as well."""

from datetime import timedelta
from typing import Final

from aio_pika.abc import AbstractConnection

from memlane.contracts.codec import decode_message
from memlane.contracts.errors import MalformedMessage
from memlane.contracts.instants import now
from memlane.contracts.topology import LOG
from memlane.contracts.version import version_instant
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.stream import begin_of, end_of, read_stream

NONE: Final = timedelta(0)


async def lag_of(connection: AbstractConnection, waiting: int) -> timedelta | None:
    """How old the command is that so many messages before the end of the log was given.

    The lane's own order may be another one after retries and repairs, so this is about right, not exact.

    Args:
        connection: to the broker.
        waiting: messages in the lane.

    Returns:
        Nothing, where nothing waits; None where the log does not say.

    Raises:
        BrokerError: the log can't be read.
    """
    if not waiting:
        return NONE
    publisher = await Publisher.open(connection)
    try:
        _, end = await end_of(connection, publisher, LOG)
        position = max(end - waiting, await begin_of(connection, publisher, LOG))
    finally:
        await publisher.channel.close()
    async with read_stream(connection, LOG, position) as reader:
        while (message := await reader.any()).offset < position:
            pass  # a chunk may begin before it
    try:
        commands = decode_message(message.body).commands
    except MalformedMessage:
        return None
    ages = [now() - version_instant(command.id) for command in commands]
    return max(NONE, *ages) if ages else None
