"""Connections that end honestly: whoever builds on one learns that it has gone."""

import asyncio

import pytest
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import BrokerError, BrokerUnreachable, ConfigurationError
from memlane.producers.broker.connection import connect, keep_connected, run_until_closed
from tests.support.proxy import network
from tests.support.waiting import wait_until


async def test_a_session_ends_with_its_connection(broker_url: str) -> None:
    """Also one that does nothing, and would never notice by itself."""
    async with network(broker_url) as (proxy, url), await connect(url, "test") as connection:
        idle = asyncio.create_task(run_until_closed(connection, _idle))
        await asyncio.sleep(0)
        proxy.cut()
        with pytest.raises(BrokerUnreachable, match="closed"):
            await asyncio.wait_for(idle, 5)
        with pytest.raises(BrokerUnreachable, match="closed"):
            await asyncio.wait_for(run_until_closed(connection, _idle), 5)


async def _idle(_connection: AbstractConnection) -> None:
    await asyncio.Event().wait()


async def test_a_lost_connection_is_made_again(broker_url: str) -> None:
    """And again; each loss is told; a session that returns is the end of it."""
    lost: list[BrokerError] = []
    sessions = 0

    async with network(broker_url) as (proxy, url):

        async def session(_connection: AbstractConnection) -> None:
            nonlocal sessions
            sessions += 1
            if sessions < 3:
                proxy.cut()
                await asyncio.Event().wait()

        await asyncio.wait_for(keep_connected(url, "test", session, on_down=lost.append), 10)
    assert (sessions, len(lost)) == (3, 2)


async def test_an_error_of_the_session_is_its_own(broker_url: str) -> None:
    """It is not taken for a lost connection, and not tried again."""

    async def session(_connection: AbstractConnection) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await keep_connected(broker_url, "test", session)


@pytest.mark.parametrize("after", [0.0, 0.001, 0.002, 0.004, 0.006, 0.008, 0.01, 0.02])
async def test_giving_up_while_connecting_leaves_nothing_open(broker_url: str, after: float) -> None:
    """At whatever moment."""
    connecting = asyncio.create_task(keep_connected(broker_url, "test", _idle))
    await asyncio.sleep(after)
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)


async def test_it_can_be_told_to_stop_while_nothing_answers(broker_url: str) -> None:
    """At once."""
    async with network(broker_url) as (proxy, url):
        proxy.freeze()
        stopping = asyncio.Event()
        trying = asyncio.create_task(keep_connected(url, "test", _idle, stopping=stopping))
        await wait_until(lambda: proxy.accepted == 1, "it tries")
        stopping.set()
        await asyncio.wait_for(trying, 2)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://bot:secret@localhost/",
        "amqp://",
        "localhost:5672",
        "amqp:///vhost",
        "amqp://bot:secret@localhost:many/",
        "amqp://bot:secret@[::1/",
    ],
)
async def test_what_is_no_amqp_url_is_said(url: str) -> None:
    """With the setting, and how it should look; the text itself may hold a password."""
    with pytest.raises(ConfigurationError, match="MEMLANE_AMQP_URL") as caught:
        await connect(url, "test")
    assert "secret" not in str(caught.value)
