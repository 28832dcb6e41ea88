"""What the broker refuses for good moves aside and blocks nothing; an alarm is waited for."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.client import MemoryClient, PublishRefused
from memlane.testing.servers import RabbitMQServer
from tests.integration.outbox.conftest import keys_in_lane, numbered
from tests.support.alarm import memory_alarm
from tests.support.broker import Broker, connected_broker, declare
from tests.support.system import System, client_settings
from tests.support.waiting import wait_until

LARGE = "x" * 200_000
LIMIT = 100_000
"""The broker's, on the size of a message; as an administrator may set it."""


@pytest.fixture
async def strict(fragile_rabbitmq: RabbitMQServer) -> AsyncIterator[Broker]:
    """A broker that takes no message over 100 kB."""
    set_limit = (
        "application:set_env(rabbit, max_message_size, {0}), persistent_term:put(max_message_size, {0})."
    )
    await asyncio.to_thread(fragile_rabbitmq.control, "eval", set_limit.format(LIMIT))
    async with connected_broker(fragile_rabbitmq.url) as broker:
        made = await declare(broker, ["memory"])
        yield broker
        await broker.delete(made)
    await asyncio.to_thread(fragile_rabbitmq.control, "eval", set_limit.format(134217728))


async def test_a_refused_entry_moves_aside_and_its_neighbours_go_through(
    strict: Broker, tmp_path: Path
) -> None:
    """All of them, in order; it is kept with the broker's reason."""
    async with MemoryClient(settings=client_settings(strict.url, tmp_path)) as client:
        values = {key: LARGE if key in {"k0077", "k0078"} else 1 for key in numbered(0, 150)}
        await client.store_many("u", values, wait="outbox")
        status = await client.flush(timedelta(seconds=30))
        assert (status.waiting, status.aside) == (0, 2)
        file = client._forwarding._outbox
        assert file is not None
        entries = file.file.entries(None, 10)
        assert [entry.state for entry in entries] == ["aside", "aside"]
        assert all("larger than configured max size" in entry.error for entry in entries)
    keys = await keys_in_lane(strict)
    assert keys == [key for key in numbered(0, 150) if key not in {"k0077", "k0078"}]


async def test_a_refused_store_raises_alone(strict: Broker, tmp_path: Path) -> None:
    """At once where it is alone; those that went out with it are stored."""
    async with MemoryClient(settings=client_settings(strict.url, tmp_path)) as client:
        async with asyncio.timeout(5):
            with pytest.raises(PublishRefused, match="larger than configured max size"):
                await client.store("u", "k", LARGE)
        storing = [client.store("u", f"k{n}", LARGE if n == 2 else n) for n in range(5)]
        told = await asyncio.gather(*storing, return_exceptions=True)
        await client.flush(timedelta(seconds=30))
    assert [isinstance(one, BaseException) for one in told].count(True) <= 1
    assert sorted(await keys_in_lane(strict)) == ["k0", "k1", "k3", "k4"]


async def test_an_account_that_may_not_publish_has_its_commands_set_aside(
    fragile_rabbitmq: RabbitMQServer, tmp_path: Path
) -> None:
    """All that were tried: it is the account's right that lacks; a person can send them later."""
    control = fragile_rabbitmq.control
    await asyncio.to_thread(control, "add_user", "mute", "secret")
    await asyncio.to_thread(control, "set_permissions", "mute", "^$", "^$", "^$")
    url = fragile_rabbitmq.url.replace("guest:guest", "mute:secret")
    try:
        async with connected_broker(fragile_rabbitmq.url) as broker:
            made = await declare(broker, ["memory"])
            async with MemoryClient(settings=client_settings(url, tmp_path)) as client:
                with pytest.raises(PublishRefused, match=r"right to write memlane\.commands"):
                    await client.store("u", "k", 1)
                await client.store_many("u", dict.fromkeys(numbered(0, 10), 1), wait="outbox")
                status = await client.flush(timedelta(seconds=30))
                assert (status.waiting, status.aside) == (0, 10)
            await broker.delete(made)
    finally:
        await asyncio.to_thread(control, "delete_user", "mute")


async def test_under_an_alarm_writes_wait_in_the_outbox(
    fragile_rabbitmq: RabbitMQServer, tmp_path: Path
) -> None:
    """At once, with the reason shown; they arrive when it is over."""
    async with connected_broker(fragile_rabbitmq.url) as broker:
        made = await declare(broker, ["memory"])
        async with MemoryClient(settings=client_settings(fragile_rabbitmq.url, tmp_path)) as client:
            assert (await client.store("u", "before", 1)).confirmed
            async with memory_alarm(fragile_rabbitmq):
                async with asyncio.timeout(5):
                    receipts = [await client.store("u", key, 1) for key in numbered(0, 20)]
                assert all(receipt.queued for receipt in receipts)
                health = await client.health()
                assert "memory" in str(health.blocked)
                assert "memory" in str(client.blocked)
                assert health.outbox is not None
                assert health.outbox.waiting == 20
                assert not health.healthy
            assert (await client.flush(timedelta(seconds=30))).waiting == 0
            await wait_until(lambda: client.blocked is None, "the alarm is over")
            assert (await client.store("u", "after", 1)).confirmed
        assert set(await keys_in_lane(broker)) == {"before", *numbered(0, 20), "after"}
        await broker.delete(made)


async def test_a_client_that_closes_leaves_the_rest_on_the_disk(quiet: System) -> None:
    """What can be sent within a moment is; nothing is lost either way."""
    async with quiet.client() as client:
        await client.store("u", "a", 1, wait="outbox")
    assert await keys_in_lane(quiet.broker) == ["a"]
