"""A client reads its own writes, or is told that nobody could say."""

import asyncio
from datetime import timedelta

import pytest

from memlane.client import IncompleteAnswer, MemoryClient
from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink
from tests.support.commands import store
from tests.support.system import System
from tests.support.waiting import wait_until


async def test_a_confirmed_store_is_read_at_once(client: MemoryClient) -> None:
    """Although confirmed is not yet applied."""
    for n in range(30):
        await client.store("u", "k", n)
        entry = await client.get("u", "k")
        assert entry is not None
        assert entry.value == n


async def test_a_confirmed_delete_is_read_at_once(client: MemoryClient) -> None:
    """Of an address, of a namespace, of a user."""
    for n in range(5):
        await client.store("u", "k", n, namespace="a/b")
        assert await client.get("u", "k", namespace="a/b") is not None
        delete = (
            client.delete("u", "k", namespace="a/b"),
            client.delete_namespace("u", "a"),
            client.forget("u"),
        )
        await delete[n % 3]
        for other in (*delete[: n % 3], *delete[n % 3 + 1 :]):
            other.close()
        assert await client.get("u", "k", namespace="a/b") is None


async def test_an_older_answer_counts_as_none(
    system: System, first: FailingSink, second: FailingSink
) -> None:
    """While the lanes stand still nobody can say; as soon as they go on, the get is answered."""
    async with system.client(deadline="PT2S") as client:
        await client.store("u", "k", "older", wait="all")
        first.slow(timedelta(seconds=60), "apply")
        second.slow(timedelta(seconds=60), "apply")
        await client.store("u", "k", "newer")
        with pytest.raises(IncompleteAnswer, match=r"not applied yet|first: "):
            await client.get("u", "k")
        await system.kill(system.lanes["first"])
        first.heal()
        asked = asyncio.create_task(client.get("u", "k"))
        system.populate([first], ["lane"])
        entry = await asked
        assert entry is not None
        assert entry.value == "newer"
        await system.kill(system.lanes["second"])
        second.heal()


async def test_one_lane_that_stands_still_is_passed_over(client: MemoryClient, first: FailingSink) -> None:
    """The next sink has it."""
    await client.store("u", "k", "older", wait="all")
    first.hang()
    await client.store("u", "k", "newer", wait={"second"})
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.value == "newer"
    first.heal()


async def test_another_clients_write_is_not_waited_for(system: System) -> None:
    """Only one's own are known."""
    async with system.client() as writer, system.client() as reader:
        await writer.store("u", "k", 1, wait="all")
        await system.stop(*system.lanes.values())
        await writer.store("u", "k", 2)
        entry = await reader.get("u", "k")
        assert entry is not None
        assert entry.value == 1
        assert await system.broker.holds(lane_queue("first"), 1)


async def test_what_was_sent_with_its_version_is_read_at_once(client: MemoryClient) -> None:
    """Importers read their own writes, too."""
    await client.send([store("k", "imported")])
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.value == "imported"


async def test_a_delete_that_was_overtaken_by_a_clock_ahead_is_issued_again(
    system: System, client: MemoryClient
) -> None:
    """Just past that version; what was to be deleted is gone, everywhere."""
    ahead = store("k", "of a clock ahead", ahead=timedelta(minutes=2))
    async with system.client() as other:
        await other.send([ahead], wait="all")
    receipt = await client.delete("u", "k", wait="all")
    assert receipt.applied == {"first", "second"}
    assert receipt.version > ahead.id
    assert await client.get("u", "k", consistency="all") is None


async def test_a_scope_delete_covers_what_a_clock_ahead_stored(system: System, client: MemoryClient) -> None:
    """A mark supersedes nothing by itself: who asks sees what is left, and can delete it again."""
    ahead = store("k", "of a clock ahead", ahead=timedelta(minutes=2))
    async with system.client() as other:
        await other.send([ahead], wait="all")
    assert await client.get("u", "k") is not None  # the client has seen the version
    await client.forget("u", wait="all")
    assert await client.get("u", "k", consistency="all") is None


async def test_a_reissued_delete_is_read_at_once(
    system: System, client: MemoryClient, second: FailingSink
) -> None:
    """Its new version counts as the client's own write, also where a sink has not come so far."""
    ahead = store("k", "of a clock ahead", ahead=timedelta(minutes=2))
    async with system.client() as other:
        await other.send([ahead], wait="all")
    second.hang()
    receipt = await client.delete("u", "k", wait={"first"})
    assert receipt.version > ahead.id
    second.heal()
    await wait_until(lambda: system.broker.is_empty(lane_queue("second")), "the lane goes on")
    assert client._recent.min_version(ahead.address) == receipt.version


async def test_a_clock_moves_past_what_it_has_seen(system: System, client: MemoryClient) -> None:
    """A store after a read wins over what was read, although its clock is behind."""
    async with system.client() as other:
        await other.send([store("k", "of a clock ahead", ahead=timedelta(minutes=2))], wait="all")
    assert await client.get("u", "k") is not None
    await client.store("u", "k", "mine", wait="all")
    entry = await client.get("u", "k", consistency="all")
    assert entry is not None
    assert entry.value == "mine"


async def test_versions_rise_over_restarts(system: System) -> None:
    """The clock is kept on disk: a machine whose time was set back still writes newer versions."""
    async with system.client() as client:
        await client.send([store("k", ahead=timedelta(minutes=2))])
        ahead = await client.get("u", "k")
        assert ahead is not None
    async with system.client() as again:
        receipt = await again.store("u", "k", "after the restart", wait="all")
        assert receipt.version > ahead.version
        assert receipt.applied == {"first", "second"}


async def test_without_a_place_for_its_clock_a_client_works_all_the_same(system: System) -> None:
    """It only costs the promise over restarts."""
    async with system.client(state_dir="/proc/nowhere") as client:
        await client.store("u", "k", 1, wait="all")
