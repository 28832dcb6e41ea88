"""The shipped fixtures: the real memlane and the one in memory, held to the same cases."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import uuid4

import pytest

from memlane.client import MemoryClient
from memlane.contracts.errors import InvalidInput
from memlane.contracts.query import Filters
from memlane.testing.in_memory import InMemoryMemlane
from memlane.testing.running import RunningMemlane
from tests.support.commands import store

pytestmark = pytest.mark.usefixtures("own_servers")
"""The cases belong to those that run on every kind of servers, though a fixture is asked for by its name."""

Memlane = RunningMemlane | InMemoryMemlane

SINKS: Final = {"sqlite", "redis"}


@pytest.fixture(params=["memlane", "memlane_in_memory"], name="any_memlane")
def _any_memlane(request: pytest.FixtureRequest) -> Memlane:
    """Both, one after the other."""
    found: Memlane = request.getfixturevalue(request.param)
    return found


async def test_what_is_stored_is_found(any_memlane: Memlane) -> None:
    """By its address, by its words, in a list; in every sink."""
    async with any_memlane.client() as client:
        receipt = await client.store("u", "tea", {"likes": "oolong"}, tags=["drink"], wait="all")
        assert receipt.applied == SINKS
        entry = await client.get("u", "tea", consistency="all")
        assert entry is not None
        assert (entry.value, entry.tags, entry.version) == ({"likes": "oolong"}, ("drink",), receipt.version)
        assert [hit.entry for hit in (await client.search("u", "oolong")).hits] == [entry]
        assert [one async for one in client.iterate("u", filters=Filters(tags_all=("drink",)))] == [entry]


async def test_a_client_reads_its_own_writes(any_memlane: Memlane) -> None:
    """Without waiting for a sink."""
    async with any_memlane.client() as client:
        for number in range(20):
            await client.store("u", "k", number)
            entry = await client.get("u", "k")
            assert entry is not None
            assert entry.value == number


@pytest.mark.parametrize(
    "delete",
    [
        lambda client: client.delete("u", "k", namespace="a/b", wait="all"),
        lambda client: client.delete_namespace("u", "a", wait="all"),
        lambda client: client.forget("u", wait="all"),
    ],
    ids=["address", "namespace", "user"],
)
async def test_what_is_deleted_is_gone(
    any_memlane: Memlane, delete: Callable[[MemoryClient], Awaitable[object]]
) -> None:
    """And comes back when it is stored again."""
    async with any_memlane.client() as client:
        await client.store("u", "k", 1, namespace="a/b", wait="all")
        await client.store("other", "k", 1, namespace="a/b", wait="all")
        await delete(client)
        assert await client.get("u", "k", namespace="a/b", consistency="all") is None
        assert (await client.list("u")).hits == []
        assert await client.get("other", "k", namespace="a/b") is not None
        await client.store("u", "k", 2, namespace="a/b", wait="all")
        assert await client.get("u", "k", namespace="a/b", consistency="all") is not None


async def test_an_older_command_supersedes_nothing(any_memlane: Memlane) -> None:
    """By version, not by arrival."""
    old = store("k", 1, ahead=timedelta(hours=-1))
    async with any_memlane.client() as client:
        newer = await client.store("u", "k", 2, wait="all")
        (receipt,) = await client.send([old], wait="all")
        assert {told.decision for told in receipt.sinks.values() if told} == {"superseded"}
        entry = await client.get("u", "k", consistency="all")
        assert entry is not None
        assert entry.version == newer.version


async def test_what_has_expired_is_not_returned(any_memlane: Memlane) -> None:
    """From the moment on."""
    async with any_memlane.client() as client:
        await client.store("u", "k", 1, expires_at=datetime.now(UTC) - timedelta(seconds=1), wait="all")
        assert await client.get("u", "k") is None
        assert (await client.search("u")).hits == []


async def test_bad_input_is_refused_before_it_is_sent(any_memlane: Memlane) -> None:
    """With the field."""
    async with any_memlane.client() as client:
        with pytest.raises(InvalidInput, match="namespace"):
            await client.store("u", "k", 1, namespace="/")
        with pytest.raises(InvalidInput, match="limit"):
            await client.list("u", limit=0)


async def test_a_version_from_the_future_is_parked(any_memlane: Memlane) -> None:
    """The receipt says so."""
    command = store("k", 1, ahead=timedelta(days=1))
    async with any_memlane.client() as client:
        (receipt,) = await client.send([command], wait="all")
        assert {name: told and told.decision for name, told in receipt.sinks.items()} == dict.fromkeys(
            SINKS, "parked"
        )
    # This client would wait for what it wrote.
    async with any_memlane.client() as other:
        assert await other.get("u", "k", consistency="all") is None


async def test_stats_and_health_name_the_sinks(any_memlane: Memlane) -> None:
    """Of an empty deployment, and of one entry."""
    async with any_memlane.client() as client:
        assert {
            name: said.stats and said.stats.live for name, said in (await client.stats()).sinks.items()
        } == (dict.fromkeys(SINKS, 0))
        await client.store("u", "k", 1, wait="all")
        assert (await client.health()).sinks == dict.fromkeys(SINKS, "ok")
        stats = await client.stats("u")
        assert {name: said.stats and said.stats.live for name, said in stats.sinks.items()} == dict.fromkeys(
            SINKS, 1
        )


def test_programs_without_an_event_loop(any_memlane: Memlane) -> None:
    """The same, blocking."""
    with any_memlane.sync_client() as client:
        values = {f"k{number}": number for number in range(30)}
        assert len(client.store_many("u", values, wait="all")) == 30
        assert {entry.key: entry.value for entry in client.iterate("u")} == values


@pytest.mark.parametrize("turn", [1, 2])
async def test_no_test_sees_what_another_one_left(any_memlane: Memlane, turn: int) -> None:
    """Though they share the servers."""
    async with any_memlane.client() as client:
        assert (await client.list("u")).hits == [], turn
        await client.store("u", uuid4().hex, 1, wait="all")
