"""While the broker is away, what a client is told to remember waits on the disk, and arrives afterwards."""

import asyncio
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.client import (
    BrokerUnreachable,
    MemoryClient,
    OutboxFailed,
    OutboxFull,
    PublishFailed,
    SyncMemoryClient,
)
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.testing.servers import RabbitMQServer
from tests.integration.conftest import StartSystem
from tests.integration.outbox.conftest import folder_of, keys_in_lane, numbered
from tests.support.broker import connected_broker, declare
from tests.support.proxy import network
from tests.support.system import System, client_settings
from tests.support.waiting import wait_until


async def test_what_waits_is_sent_in_order_when_the_broker_is_back(quiet: System, broker_url: str) -> None:
    """More of it than one message takes; the receipts say where it is; nothing is left on the disk."""
    async with (
        network(broker_url) as (proxy, url),
        quiet.client(amqp_url=url, outbox_after="PT0.1S") as client,
    ):
        await proxy.close()
        receipts = [await client.store("u", key, 1) for key in numbered(0, 20)]
        receipts += await client.store_many("u", dict.fromkeys(numbered(20, 1200), 1))
        assert {(receipt.confirmed, receipt.queued) for receipt in receipts} == {(False, True)}
        status = await client.flush(timedelta(0))
        assert (status.waiting, status.aside) == (1200, 0)
        assert status.bytes > 1200 * 80
        assert status.oldest is not None
        assert (await client.health()).outbox == status
        await proxy.open()
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
        assert (await client.store("u", "after", 1)).confirmed
    assert await keys_in_lane(quiet.broker) == [*numbered(0, 1200), "after"]


async def test_only_the_first_writes_wait_for_a_lost_connection(quiet: System, broker_url: str) -> None:
    """Counted from the loss: after that a write costs as much as the disk takes."""
    async with (
        network(broker_url) as (proxy, url),
        quiet.client(amqp_url=url, outbox_after="PT0.5S") as client,
    ):
        await proxy.close()
        loop = asyncio.get_running_loop()
        started = loop.time()
        assert (await client.store("u", "k", 1)).queued
        assert 0.3 < loop.time() - started < 2
        started = loop.time()
        for n in range(5):
            assert (await client.store("u", f"k{n}", 1)).queued
        assert loop.time() - started < 0.4


async def test_fire_and_forget_waits_for_the_disk_only(quiet: System, broker_url: str) -> None:
    """It needs no connection; concurrent ones share a sync; the drainer sends them."""
    async with network(broker_url) as (proxy, url), quiet.client(amqp_url=url) as client:
        proxy.freeze()
        async with asyncio.timeout(5):
            storing = [client.store("u", key, 1, wait="outbox") for key in numbered(0, 500)]
            receipts = await asyncio.gather(*storing, client.delete("u", "k", wait="outbox"))
        assert all(receipt.queued and not receipt.confirmed for receipt in receipts)
        assert (await client.flush(timedelta(0))).waiting == 501
        proxy.thaw()
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
    assert await keys_in_lane(quiet.broker) == numbered(0, 500)


async def test_a_client_opens_while_the_broker_is_away(quiet: System, broker_url: str) -> None:
    """It remembers at once, and is connected when the broker is there."""
    async with network(broker_url) as (proxy, url):
        await proxy.close()
        async with quiet.client(amqp_url=url) as client:
            assert (await client.store("u", "a", 1)).queued
            receipt = await client.store("u", "b", 1, wait="all")
            assert (receipt.queued, receipt.sinks) == (True, {})
            receipt = await client.delete("u", "b", wait={"memory"})
            assert (receipt.queued, receipt.sinks) == (True, {"memory": None})
            await proxy.open()
            await wait_until(lambda: client._link.is_up, "it is connected")
            assert (await client.flush(timedelta(seconds=30))).waiting == 0
    assert await keys_in_lane(quiet.broker) == ["a", "b"]


async def test_what_a_client_left_is_sent_by_the_next(quiet: System, broker_url: str) -> None:
    """Of the same broker and account; of another one it stays."""
    async with network(broker_url) as (proxy, url):
        async with quiet.client(amqp_url=url) as client:
            await proxy.close()
            await wait_until(lambda: not client._link.is_up, "the client has noticed")
            await client.store("u", "left", 1, wait="outbox")
        await proxy.open()
        async with quiet.client() as other:
            assert (await other.flush(timedelta(seconds=1))).waiting == 0
        assert await quiet.broker.is_empty(lane_queue("memory"))
        async with quiet.client(amqp_url=url) as client:
            assert (await client.flush(timedelta(seconds=30))).waiting == 0
    assert await keys_in_lane(quiet.broker) == ["left"]


async def test_two_processes_leave_each_command_once(quiet: System, broker_url: str) -> None:
    """Only one of them drains at a time."""
    async with (
        network(broker_url) as (proxy, url),
        quiet.client(amqp_url=url, outbox_after="PT0S") as one,
        quiet.client(amqp_url=url, outbox_after="PT0S") as two,
    ):
        await proxy.close()
        await wait_until(lambda: not one._link.is_up and not two._link.is_up, "both have noticed")
        await one.store_many("u", dict.fromkeys(numbered(0, 3000), 1))
        await two.store_many("u", dict.fromkeys(numbered(3000, 6000), 1))
        await proxy.open()
        left = await asyncio.gather(*(client.flush(timedelta(seconds=30)) for client in (one, two)))
        assert [status.waiting for status in left] == [0, 0]
    assert await keys_in_lane(quiet.broker) == numbered(0, 6000)


_PRODUCER = """
import asyncio, os, signal, sys
from pydantic import SecretStr
from memlane.client import MemoryClient
from memlane.producers.settings import ClientSettings

async def main():
    settings = ClientSettings(amqp_url=SecretStr(sys.argv[1]), state_dir=sys.argv[2])
    async with MemoryClient(settings=settings) as memory:
        for n in range(int(sys.argv[3])):
            await memory.store("u", f"k{n:04}", n, wait="outbox")
            print(n, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_a_producer_that_is_killed_loses_nothing_that_it_was_told(
    quiet: System, broker_url: str
) -> None:
    """Nor does its lock keep the next one out."""
    arguments = [sys.executable, "-c", _PRODUCER, broker_url, str(folder_of(quiet)), "300"]
    done = await asyncio.to_thread(subprocess.run, arguments, capture_output=True, text=True, check=False)
    assert done.returncode == -9, done.stderr
    assert len(done.stdout.split()) == 300
    async with quiet.client() as client:
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
    assert sorted(set(await keys_in_lane(quiet.broker))) == numbered(0, 300)


async def test_a_full_outbox_says_so(quiet: System, broker_url: str) -> None:
    """With its file, and why it is used at all; what fits is taken; all of a list, or nothing."""
    async with (
        network(broker_url) as (proxy, url),
        quiet.client(amqp_url=url, outbox_after="PT0S", outbox_bytes=1000) as client,
    ):
        await proxy.close()
        await wait_until(lambda: not client._link.is_up, "the client has noticed")
        told = await asyncio.gather(
            client.store("u", "a", "x" * 500),
            client.store("u", "b", "x" * 500),
            client.store("u", "c", 1),
            return_exceptions=True,
        )
        assert [isinstance(one, OutboxFull) for one in told] == [False, True, False]
        assert "outbox.db is full" in str(told[1])
        assert isinstance(told[1], OutboxFull)
        assert isinstance(told[1].__cause__, BrokerUnreachable)
        with pytest.raises(OutboxFull):
            await client.store("u", "d", "x" * 500, wait="outbox")
        assert (await client.flush(timedelta(0))).waiting == 2
        await proxy.open()
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
        assert (await client.store("u", "e", "x" * 900)).confirmed
    assert await keys_in_lane(quiet.broker) == ["a", "c", "e"]


async def test_an_outbox_that_cannot_be_written_is_no_outbox(
    quiet: System, broker_url: str, tmp_path: Path
) -> None:
    """A client works all the same while the broker is there, and when it is back; else it does not open."""
    folder = tmp_path / "in-the-way"
    folder.write_text("")
    async with network(broker_url) as (proxy, url):
        async with quiet.client(state_dir=folder, amqp_url=url, publish_timeout="PT0.4S") as client:
            assert (await client.store("u", "a", 1)).confirmed
            proxy.freeze()
            with pytest.raises(OutboxFailed, match="MEMLANE_STATE_DIR"):
                await client.store("u", "b", 1)
            proxy.thaw()
            assert (await client.store("u", "c", 1)).confirmed
        await proxy.close()
        with pytest.raises(BrokerUnreachable):
            await MemoryClient(settings=quiet.client_settings(state_dir=folder, amqp_url=url)).__aenter__()


def test_the_client_without_an_event_loop_has_it_too(tmp_path: Path, unused_tcp_port: int) -> None:
    """The same names."""
    settings = client_settings(f"amqp://127.0.0.1:{unused_tcp_port}/", tmp_path)
    with SyncMemoryClient(settings=settings) as client:
        assert client.store("u", "k", 1).queued
        assert client.store("u", "k", 1, wait="outbox").queued
        assert client.flush(timedelta(0)).waiting == 2
        assert client.blocked is None


async def test_a_broker_that_does_not_confirm_gets_the_rest_later(quiet: System, broker_url: str) -> None:
    """After one timeout, further writes wait no more, until something got through."""
    async with (
        network(broker_url) as (proxy, url),
        quiet.client(amqp_url=url, publish_timeout="PT0.4S") as client,
    ):
        proxy.freeze()
        assert (await client.store("u", "a", 1)).queued
        started = asyncio.get_running_loop().time()
        assert (await client.store("u", "b", 1)).queued
        assert asyncio.get_running_loop().time() - started < 0.3
        proxy.thaw()
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
        assert (await client.store("u", "c", 1)).confirmed
    assert sorted(set(await keys_in_lane(quiet.broker))) == ["a", "b", "c"]


async def test_what_nobody_would_get_is_an_error_and_waits_in_the_outbox(
    broker_url: str, tmp_path: Path, start_system: StartSystem, memory: MemorySink
) -> None:
    """Directly it raises; what is in the outbox already waits until somebody declares the topology."""
    settings = client_settings(broker_url, tmp_path, publish_timeout="PT2S")
    async with MemoryClient(settings=settings) as client:
        await client.store("u", "early", 1, wait="outbox")
        with pytest.raises(PublishFailed, match="no exchange"):
            await client.store("u", "k", 1)
        drainer = client._forwarding._drainer
        assert drainer is not None
        await wait_until(lambda: "no exchange" in drainer.problem, "the drainer says why")
        system = await start_system(memory, roles=[])
        assert (await client.flush(timedelta(seconds=30))).waiting == 0
        assert await keys_in_lane(system.broker) == ["early"]


async def test_a_broker_that_was_stopped_gets_everything_when_it_starts(
    fragile_rabbitmq: RabbitMQServer, tmp_path: Path
) -> None:
    """A real stop of a real broker; every lane has all of it."""
    async with connected_broker(fragile_rabbitmq.url) as broker:
        made = await declare(broker, ["one", "two"])
        settings = client_settings(fragile_rabbitmq.url, tmp_path, outbox_after="PT0.2S")
        async with MemoryClient(settings=settings) as client:
            assert (await client.store("u", "before", 1)).confirmed
            await asyncio.to_thread(fragile_rabbitmq.stop)
            receipts = await client.store_many("u", dict.fromkeys(numbered(0, 700), 1))
            assert all(receipt.queued for receipt in receipts)
            await asyncio.to_thread(fragile_rabbitmq.start)
            assert (await client.flush(timedelta(seconds=60))).waiting == 0
        await broker.connect()
        for sink in ("one", "two"):
            assert await keys_in_lane(broker, sink) == ["before", *numbered(0, 700)]
        await broker.delete(made)


async def test_a_client_reads_what_it_wrote_into_the_outbox(
    start_system: StartSystem, failing: FailingSink
) -> None:
    """As soon as a sink has it: nothing older is taken for the latest meanwhile."""
    system = await start_system(failing, local=True)
    async with system.client() as client:
        await client.store("u", "k", 1, wait="all")
        await client.store("u", "k", 2, wait="outbox")
        await client.flush(timedelta(seconds=30))
        entry = await client.get("u", "k")
        assert entry is not None
        assert entry.value == 2
