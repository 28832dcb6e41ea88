"""How far a command must have come before its method returns: the ladder `wait`."""

import asyncio
from datetime import timedelta

import pytest

from memlane.client import InvalidInput, MemoryClient
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink
from tests.integration.conftest import StartSystem
from tests.support.system import System


async def test_by_default_the_confirm_of_the_broker_is_enough(
    client: MemoryClient, first: FailingSink, second: FailingSink
) -> None:
    """No sink is waited for, and the receipt names none."""
    first.hang()
    second.hang()
    receipt = await client.store("u", "k", 1)
    assert (receipt.confirmed, receipt.sinks) == (True, {})
    first.heal()
    second.heal()


async def test_any_is_the_first_sink_that_has_it(client: MemoryClient, second: FailingSink) -> None:
    """The others are not waited for."""
    second.hang()
    async with asyncio.timeout(1):
        receipt = await client.store("u", "k", 1, wait="any")
    assert receipt.applied == {"first"}
    second.heal()


async def test_all_is_every_sink(client: MemoryClient) -> None:
    """For every kind of command."""
    receipts = [
        await client.store("u", "k", 1, wait="all"),
        *await client.store_many("u", {"a": 1, "b": 2}, wait="all"),
        await client.delete("u", "k", wait="all"),
        await client.delete_namespace("u", "x", wait="all"),
        await client.forget("u", wait="all"),
    ]
    assert [receipt.applied for receipt in receipts] == [{"first", "second"}] * 6
    assert [receipt.pending for receipt in receipts] == [frozenset()] * 6


async def test_a_set_names_the_sinks(client: MemoryClient, first: FailingSink) -> None:
    """Only these are waited for."""
    first.hang()
    async with asyncio.timeout(1):
        receipt = await client.store("u", "k", 1, wait={"second"})
    assert "second" in receipt.applied
    first.heal()


async def test_at_the_deadline_who_has_not_decided_is_pending(system: System, second: FailingSink) -> None:
    """It does not raise: the command is on its way."""
    async with system.client() as client:
        await client.store("u", "other", 1, wait="all")
        second.hang()
        client._writer._deadline = client._deadline / 10
        receipt = await client.store("u", "k", 1, wait="all")
        named = await client.store("u", "k", 1, wait={"first", "third"})
    assert (receipt.applied, receipt.pending) == (frozenset({"first"}), frozenset({"second"}))
    assert (named.applied, named.pending) == (frozenset({"first"}), frozenset({"third"}))
    assert receipt.confirmed
    second.heal()


async def test_a_parked_command_is_told_with_the_reason(client: MemoryClient) -> None:
    """By each sink for itself: one can't take it, the other has it."""
    receipt = await client.store("u", "k", "x" * 200_000, wait="all")
    parked = receipt.sinks["first"]
    assert parked is not None
    assert parked.decision == "parked"
    assert receipt.applied == {"second"}
    assert "at most 100,000" in str(parked.reason)


async def test_a_command_that_always_fails_is_told_in_the_end(
    client: MemoryClient, first: FailingSink
) -> None:
    """After all its retries."""
    first.fail("apply", error=ValueError("a fault of its own"))
    receipt = await client.store("u", "k", 1, wait="all")
    said = receipt.sinks["first"]
    assert said is not None
    assert (said.decision, said.reason) == ("parked", "a fault of its own")


async def test_any_is_not_a_sink_that_has_parked_it(client: MemoryClient) -> None:
    """It has no effect there."""
    receipt = await client.store("u", "k", "x" * 200_000, wait="any")
    assert "second" in receipt.applied


async def test_who_waits_for_all_must_be_told_who_that_is(
    start_system: StartSystem, first: FailingSink
) -> None:
    """Without an aggregator nobody can say, so nothing is sent."""
    system = await start_system(first, roles=["lane"])
    async with system.client(deadline="PT1S") as client:
        with pytest.raises(Exception, match="nobody could say"):
            await client.store("u", "k", 1, wait="all")
        receipt = await client.store("u", "k2", 1, wait={"first"})
    assert receipt.applied == {"first"}
    assert (await first.stats("u")).live == 1


@pytest.mark.parametrize("wait", ["", "everyone", "sqlite", [], {}, set(), {1}, None, 5, ["first"]])
async def test_an_unknown_wait_is_refused(client: MemoryClient, first: FailingSink, wait: object) -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidInput, match=r"wait: .* 'broker', 'any', 'all' or a set of sinks"):
        await client.store("u", "k", 1, wait=wait)  # type: ignore[arg-type]
    assert (await first.stats("u")).live == 0


async def test_who_all_is_is_asked_again_from_time_to_time(client: MemoryClient, second: FailingSink) -> None:
    """A sink that was added since then is waited for, too."""
    await client.store("u", "k", 1, wait="all")
    client._writer._known_sinks = frozenset({"first"})
    second.fail("apply", error=SinkUnavailable("away"))
    assert (await client.store("u", "k", 2, wait="all")).pending == frozenset()
    client._writer._known_until = 0.0
    client._writer._deadline = timedelta(milliseconds=200)
    assert (await client.store("u", "k", 3, wait="all")).pending == {"second"}
    second.heal()
