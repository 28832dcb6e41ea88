"""A broker under an alarm says so to connections that publish, and memlane hears it."""

import asyncio

from memlane.producers.broker.connection import connect
from memlane.producers.broker.driver import blocked_of, blocking_of
from memlane.producers.broker.publisher import Publisher
from memlane.testing.servers import RabbitMQServer
from tests.support.alarm import memory_alarm
from tests.support.waiting import wait_until


async def test_an_alarm_is_heard_by_who_publishes(fragile_rabbitmq: RabbitMQServer) -> None:
    """With its reason, once; its end likewise; what was sent meanwhile arrives then."""
    url = fragile_rabbitmq.url
    async with await connect(url, "publishing") as connection, await connect(url, "idle") as idle:
        told: list[str | None] = []
        blocking_of(connection).subscribe(told.append)
        channel = await connection.channel()
        queue = await channel.declare_queue("alarmed", exclusive=True)
        publisher = await Publisher.open(connection)
        assert blocked_of(connection) is None
        async with memory_alarm(fragile_rabbitmq):
            publishing = asyncio.create_task(publisher.publish("", "alarmed", b"{}"))
            await wait_until(lambda: told != [], "it is told")
            assert "memory" in str(blocked_of(connection))
            assert not publishing.done()
            assert blocked_of(idle) is None
        await publishing
        assert blocked_of(connection) is None
        assert (len(told), told[1]) == (2, None)
        assert await queue.get() is not None
