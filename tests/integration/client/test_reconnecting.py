"""A client that loses the broker comes back by itself; what was under way takes effect exactly once."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.client import BrokerRefused, BrokerUnreachable, IncompleteAnswer, MemoryClient, PublishFailed
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.testing.servers import RabbitMQServer
from tests.support.broker import Broker, connected_broker
from tests.support.proxy import network
from tests.support.system import System, client_settings, running_system
from tests.support.waiting import wait_until


async def test_a_client_comes_back_after_its_connection_was_cut(system: System, broker_url: str) -> None:
    """Stores and questions go on, again and again."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url) as client,
    ):
        for n in range(3):
            await client.store("u", "k", n)
            proxy.cut()
            entry = await client.get("u", "k")
            assert entry is not None
            assert entry.value == n


async def test_a_store_that_is_under_way_is_sent_again(
    system: System, broker_url: str, first: FailingSink
) -> None:
    """The broker had it and the confirm was lost: it is published twice and takes effect once."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url) as client,
    ):
        await system.stop(system.lanes["first"])
        proxy.freeze_answers()
        storing = asyncio.create_task(client.store("u", "k", 1))
        await wait_until(lambda: system.broker.holds(lane_queue("first"), 1), "the broker has it")
        assert not storing.done()
        proxy.cut()
        proxy.thaw()
        assert (await storing).confirmed
        assert await system.broker.holds(lane_queue("first"), 2)
        system.populate([first], ["lane"])
        await wait_until(lambda: system.broker.is_empty(lane_queue("first")), "both are applied")
        await system.stop(system.lanes["first"])
    stats = await first.stats("u")
    assert (stats.live, stats.digest.count, stats.changes) == (1, 1, 1)


async def test_stores_wait_for_a_broker_that_is_away_for_a_moment(system: System, broker_url: str) -> None:
    """They are confirmed when it is back, every one of them."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url) as client,
    ):
        await proxy.close()
        storing = [asyncio.create_task(client.store("u", f"k{n}", n)) for n in range(700)]
        await wait_until(lambda: not client._link.is_up, "the client has noticed")
        await proxy.open()
        receipts = await asyncio.gather(*storing)
        assert all(receipt.confirmed for receipt in receipts)
        found = await client.get_many("u", [f"k{n}" for n in range(700)])
    assert [entry.value for entry in found.values() if entry] == list(range(700))


async def test_without_an_outbox_a_store_fails_when_the_broker_stays_away(
    system: System, broker_url: str
) -> None:
    """All that wait fail in about the time that one may take, and say where nothing answers."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url, publish_timeout="PT0.5S", outbox=False) as client,
    ):
        await proxy.close()
        started = asyncio.get_running_loop().time()
        storing = [client.store("u", f"k{n}", n) for n in range(3000)]
        told = await asyncio.gather(*storing, return_exceptions=True)
        assert asyncio.get_running_loop().time() - started < 2
        assert {type(error) for error in told} == {BrokerUnreachable}
        # The first ones may have been under way when the connection broke.
        assert f"127.0.0.1:{proxy.port}" in str(told[-1])
        assert not any("guest" in str(error) for error in told)


async def test_a_question_without_a_broker_is_answered_by_nobody(system: System, broker_url: str) -> None:
    """At the deadline, and health says so at once."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url, deadline="PT0.3S") as client,
    ):
        await proxy.close()
        await wait_until(lambda: not client._link.is_up, "the client has noticed")
        for asking in (client.get("u", "k"), client.list("u"), client.search("u"), client.stats()):
            with pytest.raises(IncompleteAnswer):
                await asking
        assert not (await client.health()).broker


async def test_a_question_that_is_under_way_is_asked_again(
    system: System, broker_url: str, first: FailingSink
) -> None:
    """Within its deadline."""
    async with (
        network(broker_url) as (proxy, url),
        system.client(amqp_url=url) as client,
    ):
        await client.store("u", "k", 1, wait="all")
        first.slow(timedelta(milliseconds=100), "find")
        asked = asyncio.create_task(client.list("u"))
        await wait_until(lambda: first.calls["find"] == 1, "it is being answered")
        proxy.cut()
        assert [hit.entry.key for hit in (await asked).hits] == ["k"]


async def test_a_client_survives_a_restart_of_the_broker(
    fragile_rabbitmq: RabbitMQServer, tmp_path: Path, memory: MemorySink
) -> None:
    """What it stores meanwhile arrives afterwards; nothing confirmed is lost."""
    async with (
        connected_broker(fragile_rabbitmq.url) as broker,
        running_system(broker, [memory], tmp_path, local=True) as system,
        system.client(publish_timeout="PT60S", deadline="PT10S", outbox=False) as client,
    ):
        stopping = asyncio.Event()
        confirmed: list[str] = []

        async def write() -> None:
            while not stopping.is_set():
                key = f"k{len(confirmed)}"
                await client.store("u", key, key)
                confirmed.append(key)

        writing = asyncio.create_task(write())
        await wait_until(lambda: len(confirmed) > 20, "it writes")
        await asyncio.to_thread(fragile_rabbitmq.restart)
        before = len(confirmed)
        await wait_until(lambda: len(confirmed) > before + 20, "it writes again", timedelta(seconds=30))
        stopping.set()
        await writing
        found = await client.get_many("u", confirmed)
        assert [key for key, entry in found.items() if entry is None] == []
        await broker.connect()


async def test_without_an_outbox_nobody_there_is_said_at_once(tmp_path: Path, unused_tcp_port: int) -> None:
    """With the place, and without the password."""
    settings = client_settings(f"amqp://bot:secret@127.0.0.1:{unused_tcp_port}/", tmp_path, outbox=False)
    with pytest.raises(BrokerUnreachable) as caught:
        await MemoryClient(settings=settings).__aenter__()
    assert f"127.0.0.1:{unused_tcp_port}" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_wrong_credentials_are_said(tmp_path: Path, broker_url: str) -> None:
    """With the account, and without the password."""
    url = broker_url.replace("guest:guest", "guest:not-it")
    with pytest.raises(BrokerRefused, match="'guest'") as caught:
        await MemoryClient(settings=client_settings(url, tmp_path)).__aenter__()
    assert "not-it" not in str(caught.value)


async def test_a_virtual_host_that_is_not_there_is_said(tmp_path: Path, broker_url: str) -> None:
    """And that it is the virtual host."""
    with pytest.raises(BrokerRefused, match="virtual host"):
        await MemoryClient(settings=client_settings(broker_url + "-not", tmp_path)).__aenter__()


async def test_without_the_topology_a_store_says_what_to_do(tmp_path: Path, broker: Broker) -> None:
    """Nothing is there yet: no exchange. The client lives on, and works as soon as it is there."""
    settings = client_settings(broker.url, tmp_path, publish_timeout="PT2S")
    async with MemoryClient(settings=settings) as client:
        for _ in range(2):
            with pytest.raises(PublishFailed, match=r"memlane.commands .*memlane up"):
                await client.store("u", "k", 1)


async def test_without_a_queue_a_store_says_what_to_do(tmp_path: Path, broker: Broker) -> None:
    """An exchange that nothing is bound to: confirmed would mean lost."""
    await broker.channel.exchange_declare("memlane.commands", exchange_type="fanout", durable=True)
    settings = client_settings(broker.url, tmp_path, publish_timeout="PT2S")
    async with MemoryClient(settings=settings) as client:
        with pytest.raises(PublishFailed, match=r"no queue .*memlane up"):
            await client.store("u", "k", 1)
    await broker.channel.exchange_delete("memlane.commands")
