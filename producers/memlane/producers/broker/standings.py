"""What was said about the sinks, in the stream `memlane.standing.v1`: saying it, and reading it."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput
from memlane.contracts.instants import now
from memlane.contracts.standing import MAX_REASON, NOTHING_SAID, NOTICE, Event, Notice, Standing
from memlane.contracts.topology import STANDING
from memlane.contracts.validation import validate
from memlane.producers import log_keys
from memlane.producers.broker.publisher import DEFAULT_EXCHANGE, Publisher
from memlane.producers.broker.stream import StreamReader, mark_end, read_stream

log: Final = structlog.get_logger("memlane.standing")

Standings = dict[str, Standing]
"""By sink; one that nothing was said about has `NOTHING_SAID`."""


async def say(
    publisher: Publisher,
    sink: str,
    event: Event,
    *,
    reason: str = "",
    by: str | None = None,
    incarnation: str | None = None,
    ends: datetime | None = None,
    version: str | None = None,
    offset: int | None = None,
) -> Notice:
    """Says something about a sink; returns when the broker has it.

    Raises:
        BrokerError: it could not be published.
    """
    notice = Notice(
        sink=sink,
        event=event,
        at=now(),
        reason=reason[:MAX_REASON],
        by=by,
        incarnation=incarnation,
        ends=ends,
        version=version,
        offset=offset,
    )
    body = notice.model_dump_json(by_alias=True, exclude_none=True).encode()
    await publisher.publish(DEFAULT_EXCHANGE, STANDING, body)
    return notice


async def standings_now(connection: AbstractConnection) -> Standings:
    """How all sinks stand, read once.

    Raises:
        BrokerError: the stream can't be marked.
        AMQPException: it can't be read.
    """
    found: Standings = defaultdict(lambda: NOTHING_SAID)
    async with read_stream(connection, STANDING, "first") as reader:
        async for notice in said_so_far(connection, reader):
            found[notice.sink] = found[notice.sink].after(notice)
    return found


async def said_so_far(connection: AbstractConnection, reader: StreamReader) -> AsyncIterator[Notice]:
    """The notices that there are when this is called. Raises as `standings_now`."""
    publisher = await Publisher.open(connection)
    mark = await mark_end(publisher, STANDING)
    await publisher.channel.close()
    async for message in reader.until(mark):
        if (notice := notice_of(message.body)) is not None:
            yield notice


def notice_of(body: bytes) -> Notice | None:
    """A message as a notice; None, and a line in the log, where it is none."""
    try:
        return validate(NOTICE, parse(body), by_name=False)
    except InvalidInput as error:
        log.warning("a notice about a sink can't be read, and is passed over", **{log_keys.ERROR: str(error)})
        return None
