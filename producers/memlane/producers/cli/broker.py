"""Working on a plain connection to the broker: for what no client does."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aio_pika.abc import AbstractConnection

from memlane.contracts.topology import Topology, topology
from memlane.producers.broker.connection import connect
from memlane.producers.settings import BrokerSettings

Result = TypeVar("Result")


def with_broker(
    settings: BrokerSettings, name: str, work: Callable[[AbstractConnection], Awaitable[Result]]
) -> Result:
    """Connects, works, disconnects.

    Raises:
        BrokerUnreachable: nothing answers there.
        BrokerRefused: wrong credentials.
    """

    async def connected() -> Result:
        async with await connect(settings.url, f"memlane {name}") as connection:
            return await work(connection)

    return asyncio.run(connected())


def topology_of(settings: BrokerSettings) -> Topology:
    """Everything that a deployment with these settings has on the broker."""
    return topology(
        settings.sink_names,
        retry_delays=settings.retry_delays,
        log_age=settings.log_age,
        log_bytes=settings.log_bytes,
    )
