"""Commands that queue behind a message under way go out together; what can't be sent fails in time."""

import asyncio
from datetime import timedelta

import pytest

from memlane.client import BrokerUnreachable, InvalidInput, MemoryClient
from memlane.contracts.errors import PublishUnconfirmed
from memlane.contracts.limits import MAX_MESSAGE_BYTES
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink
from tests.integration.conftest import StartSystem
from tests.support.proxy import network
from tests.support.system import System
from tests.support.waiting import wait_until


@pytest.fixture
async def quiet(start_system: StartSystem, first: FailingSink) -> System:
    """Queues, and nobody who takes from them."""
    return await start_system(first, roles=[])


async def test_ten_thousand_concurrent_stores_are_few_messages(quiet: System) -> None:
    """Full ones, but for the first and the last."""
    async with quiet.client() as client:
        await asyncio.gather(*(client.store("u", f"k{n}", n) for n in range(10_000)))
    assert 20 <= (await quiet.broker.depth(lane_queue("first"))).messages <= 22


async def test_a_single_store_waits_for_nothing(quiet: System) -> None:
    """One after the other, each is a message of its own."""
    async with quiet.client() as client:
        for n in range(5):
            await client.store("u", "k", n)
    assert await quiet.broker.holds(lane_queue("first"), 5)


async def test_messages_stay_below_one_mebibyte(quiet: System) -> None:
    """However large the values are: what does not fit goes into the next one."""
    async with quiet.client() as client:
        await client.store_many("u", {f"k{n}": "x" * 300_000 for n in range(10)})
        await client.store("u", "largest", "x" * (MAX_MESSAGE_BYTES - 200))
    sizes = [len(got.body) for got in await quiet.broker.take(lane_queue("first"))]
    assert len(sizes) == 5
    assert max(sizes) <= MAX_MESSAGE_BYTES


async def test_one_that_is_too_large_fails_alone(quiet: System) -> None:
    """Those that it would have gone out with are sent."""
    async with quiet.client() as client:
        told = await asyncio.gather(
            client.store("u", "a", 1),
            client.store("u", "large", "x" * MAX_MESSAGE_BYTES),
            client.store("u", "b", 1),
            return_exceptions=True,
        )
    assert [isinstance(one, InvalidInput) for one in told] == [False, True, False]
    assert "at most 1,048,576" in str(told[1])


async def test_without_an_outbox_a_broker_that_does_not_answer_fails_a_store_in_time(
    quiet: System, broker_url: str
) -> None:
    """Also the stores that queue behind it; they may have arrived."""
    async with network(broker_url) as (proxy, url):
        async with quiet.client(amqp_url=url, publish_timeout="PT0.4S", outbox=False) as client:
            proxy.freeze()
            started = asyncio.get_running_loop().time()
            storing = [client.store("u", f"k{n}", n) for n in range(2000)]
            told = await asyncio.gather(*storing, return_exceptions=True)
            assert asyncio.get_running_loop().time() - started < 2
            assert {type(error) for error in told} == {PublishUnconfirmed}
            assert "no confirm" in str(told[0])
            proxy.thaw()


async def test_a_store_that_is_cancelled_harms_no_other(quiet: System) -> None:
    """Whoever gave up waiting takes nobody along."""
    async with quiet.client() as client:
        storing = [asyncio.create_task(client.store("u", f"k{n}", n)) for n in range(50)]
        await asyncio.sleep(0)
        for task in storing[::2]:
            task.cancel()
        told = await asyncio.gather(*storing, return_exceptions=True)
    assert [isinstance(one, asyncio.CancelledError) for one in told] == [True, False] * 25


async def test_flush_waits_for_what_was_sent_before(quiet: System) -> None:
    """And for nothing else."""
    async with quiet.client() as client:
        storing = [asyncio.create_task(client.store("u", f"k{n}", n)) for n in range(1000)]
        await asyncio.sleep(0)
        await client.flush()
        assert all(task.done() for task in storing)
        await asyncio.gather(*storing)


async def test_closing_waits_for_the_confirms(quiet: System) -> None:
    """What was under way when the client was closed is confirmed."""
    async with quiet.client() as client:
        storing = [asyncio.create_task(client.store("u", f"k{n}", n)) for n in range(2000)]
        await asyncio.sleep(0)
    receipts = await asyncio.gather(*storing)
    assert all(receipt.confirmed for receipt in receipts)


async def test_closing_without_a_broker_and_an_outbox_is_bounded(quiet: System, broker_url: str) -> None:
    """Whoever still waits is told."""
    async with network(broker_url) as (proxy, url):
        async with quiet.client(amqp_url=url, publish_timeout="PT0.3S", outbox=False) as client:
            await proxy.close()
            await wait_until(lambda: not client._link.is_up, "the client has noticed")
            storing = [asyncio.create_task(client.store("u", f"k{n}", n)) for n in range(2000)]
            await asyncio.sleep(0)
            closing = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - closing < 2
        told = await asyncio.gather(*storing, return_exceptions=True)
        assert {type(error) for error in told} == {BrokerUnreachable}


async def test_closing_answers_every_question_under_way(quiet: System) -> None:
    """Nobody waits for ever: gets, pages and receipts end with an error, or with what is known."""
    async with quiet.client(deadline="PT60S") as client:
        asking = [asyncio.create_task(client.get("u", f"k{n}")) for n in range(500)]
        asking += [asyncio.create_task(client.get("u", "k", consistency="all")) for _ in range(5)]
        paging = [asyncio.create_task(client.list("u")), asyncio.create_task(client.stats())]
        await wait_until(lambda: len(client._questions._under_way) == 2, "two messages are under way")
    async with asyncio.timeout(2):
        told = await asyncio.gather(*asking, *paging, return_exceptions=True)
    assert all(isinstance(error, Exception) for error in told)
    assert {type(error).__name__ for error in told} <= {"IncompleteAnswer", "BrokerUnreachable"}


async def test_a_closed_client_says_so(quiet: System) -> None:
    """Instead of waiting."""
    async with quiet.client() as client:
        pass
    async with asyncio.timeout(1):
        with pytest.raises(BrokerUnreachable, match="closed"):
            await client.store("u", "k", 1)
        with pytest.raises(Exception, match="closed"):
            await client.get("u", "k")


async def test_a_client_that_was_never_opened_says_so(quiet: System) -> None:
    """And what to do."""
    client = MemoryClient(settings=quiet.client_settings())
    with pytest.raises(BrokerUnreachable, match="async with"):
        await client.store("u", "k", 1)
    with pytest.raises(BrokerUnreachable, match="async with"):
        await client.get("u", "k")


async def test_many_gets_are_few_messages(start_system: StartSystem, first: FailingSink) -> None:
    """Those that queue behind two under way go out together, 100 in one."""
    system = await start_system(first, local=True)
    async with system.client() as client:
        first.slow(timedelta(milliseconds=20), "fetch")
        found = await client.get_many("u", [f"k{n}" for n in range(1000)])
    assert len(found) == 1000
    assert first.calls["fetch"] <= 14
