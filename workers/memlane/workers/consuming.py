"""Noticing that a subscription has ended although the connection lasts."""

import asyncio
from contextlib import suppress
from typing import Final

from aio_pika.abc import AbstractChannel

from memlane.contracts.errors import BrokerUnreachable
from memlane.producers.broker.driver import Channel as DriverChannel

_WATCH_SECONDS: Final = 1.0


async def wait_while_consuming(channel: AbstractChannel, tag: str, stopping: asyncio.Event) -> None:
    """Returns when it is to stop.

    Args:
        channel: that of the consumer.
        tag: the consumer's.
        stopping: ends the wait.

    Raises:
        BrokerUnreachable: the broker has ended the subscription, or closed its channel: the queue was
            deleted, or the node that holds it went down.
    """
    driver = await channel.get_underlay_channel()
    assert isinstance(driver, DriverChannel)  # noqa: S101  # `connect` sees to it
    while not stopping.is_set():
        # The driver tells nobody; it only takes the consumer off its list.
        if driver.is_closed or tag not in driver.consumers:
            raise BrokerUnreachable("the broker has ended the subscription", hint="is its queue still there?")
        with suppress(TimeoutError):
            async with asyncio.timeout(_WATCH_SECONDS):
                await stopping.wait()
