"""A broker of several nodes: one that is dead or hangs does not keep anybody out."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from memlane.contracts.errors import BrokerError, BrokerRefused, BrokerUnreachable
from memlane.producers.broker.connection import connect, keep_connected
from tests.support.proxy import network
from tests.support.waiting import wait_until


async def test_a_node_that_is_dead_is_passed_over(broker_url: str, unused_tcp_port: int) -> None:
    """And the next connection begins with the one that worked."""
    dead = f"amqp://guest:guest@127.0.0.1:{unused_tcp_port}/{broker_url.rsplit('/', 1)[1]}"
    async with await connect(f"{dead},{broker_url}", "test") as connection:
        assert connection.connected.is_set()


async def test_a_node_that_hangs_takes_its_part_of_the_time(broker_url: str) -> None:
    """Half of it, where there are two; and it is asked last from then on."""
    async with network(broker_url) as (proxy, url):
        proxy.freeze()
        within = timedelta(seconds=2)
        for _ in range(2):
            async with await connect(f"{url},{broker_url}", "test", within):
                assert proxy.accepted == 1
        proxy.thaw()


async def test_no_node_is_an_error_that_names_them_all(unused_tcp_port_factory: Callable[[], int]) -> None:
    """Without the password."""
    ports = [unused_tcp_port_factory() for _ in range(2)]
    urls = ",".join(f"amqp://bot:secret@127.0.0.1:{port}/" for port in ports)
    with pytest.raises(BrokerUnreachable) as caught:
        await connect(urls, "test")
    assert all(f"127.0.0.1:{port}" in str(caught.value) for port in ports)
    assert "secret" not in str(caught.value)


async def test_after_a_loss_another_node_takes_over(broker_url: str) -> None:
    """At once, also where the lost one hangs."""
    async with network(broker_url) as (first, one), network(broker_url) as (second, two):
        sessions: list[AbstractConnection] = []

        async def session(connection: AbstractConnection) -> None:
            sessions.append(connection)
            await asyncio.Event().wait()

        keeping = asyncio.create_task(keep_connected(f"{one},{two}", "test", session))
        await wait_until(lambda: len(sessions) == 1, "it is connected")
        assert (first.accepted, second.accepted) == (1, 0)
        first.cut()
        await wait_until(lambda: len(sessions) == 2, "it is connected again")
        assert (first.accepted, second.accepted) == (1, 1)
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_a_refusal_after_a_success_is_an_outage(broker_url: str) -> None:
    """A node that restarts may refuse for a while; only who never was let in is told to give up."""
    told: list[BrokerError] = []
    turns = 0

    async def session(_connection: AbstractConnection) -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            raise BrokerRefused("the virtual host is down")

    await asyncio.wait_for(keep_connected(broker_url, "test", session, on_down=told.append), 5)
    assert turns == 2
    assert [type(error) for error in told] == [BrokerRefused]
    with pytest.raises(BrokerRefused):
        await keep_connected(broker_url + "-not", "test", session)


async def _never_called(_message: AbstractIncomingMessage) -> None:
    """Of a queue that is not there."""


async def test_a_channel_that_the_broker_closes_ends_a_session_not_its_keeper(broker_url: str) -> None:
    """Whatever the driver makes of it: no such queue, or a channel that is closed already."""
    turns = 0

    async def session(connection: AbstractConnection) -> None:
        nonlocal turns
        turns += 1
        channel = await connection.channel()
        if turns < 3:
            queue = await channel.get_queue("nowhere", ensure=False)
            if turns == 1:
                await queue.consume(_never_called)
            underlay = await channel.get_underlay_channel()
            await underlay.close()
            await underlay.basic_qos(prefetch_count=1)

    await asyncio.wait_for(keep_connected(broker_url, "test", session), 5)
    assert turns == 3
