"""Sending what waits for a target while somebody looks on: what `memlane outbox flush` does."""

import asyncio
from collections.abc import Callable
from typing import Final

from aio_pika.abc import AbstractConnection

from memlane.producers.outbox.draining import Draining
from memlane.producers.outbox.lock import DrainLock
from memlane.producers.outbox.outbox import Outbox

_BUSY_SECONDS: Final = 0.2


async def send_waiting(
    outbox: Outbox,
    target: str,
    draining: Draining,
    connection: AbstractConnection,
    *,
    on_sent: Callable[[int], None],
) -> None:
    """Sends until nothing waits for a target. Where another process does that, waits for it.

    Args:
        outbox: the file's.
        target: whose commands.
        draining: of that target.
        connection: to the broker.
        on_sent: told how many commands the broker has just confirmed.

    Raises:
        BrokerUnreachable: the connection was lost; the rest waits on.
        PublishFailed: the broker does not take it now.
        OutboxFailed: the file can't be read or written.
    """
    while (await outbox.run(lambda: outbox.file.status(target))).waiting:
        with DrainLock(outbox.file.path, target) as lock:
            if lock.held:
                while (count := await draining.step(connection)) is not None:
                    on_sent(count)
                return
        await asyncio.sleep(_BUSY_SECONDS)
