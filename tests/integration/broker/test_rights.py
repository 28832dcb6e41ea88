"""What an account may do, and in whose name."""

from datetime import timedelta
from pathlib import Path

import pytest

from memlane.client import MemoryClient
from memlane.contracts import headers
from memlane.contracts.errors import BrokerRefused
from memlane.contracts.topology import COMMANDS, dead_queue, topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import apply_topology
from memlane.producers.broker.publisher import Publisher
from memlane.storage.memory import FailingSink, MemorySink
from tests.integration.conftest import StartSystem
from tests.support.broker import connected_broker
from tests.support.commands import message, raw_message, raw_store, store
from tests.support.system import LANE, client_settings
from tests.support.waiting import wait_until


@pytest.fixture
def bot_url(broker_url: str) -> str:
    """Of an account that may write the two exchanges, and nothing else."""
    return broker_url.replace("guest:guest", "bot:secret")


async def test_a_bot_needs_no_more_than_to_write_two_exchanges(
    start_system: StartSystem, memory: MemorySink, bot_url: str, tmp_path: Path
) -> None:
    """Everything that a client does works: stores, receipts, questions and their answers."""
    await start_system(memory, local=True)
    async with MemoryClient(settings=client_settings(bot_url, tmp_path)) as bot:
        receipt = await bot.store("u", "k", 1, wait="all")
        assert receipt.applied == {"memory"}
        entry = await bot.get("u", "k")
        assert entry is not None
        assert len((await bot.search("u")).hits) == 1
        await bot.forget("u", wait="all")
        assert (await bot.health()).healthy


async def test_an_account_without_rights_is_told(bot_url: str) -> None:
    """Which right it needs."""
    async with await connect(bot_url, "test") as connection:
        with pytest.raises(BrokerRefused, match=r"memlane\.log.*right to configure memlane"):
            await apply_topology(connection, topology(["sqlite"]))


async def test_the_principal_is_who_the_broker_verified(
    start_system: StartSystem, memory: MemorySink, bot_url: str
) -> None:
    """Never what the message says, unless a worker says it."""
    system = await start_system(memory, roles=[LANE])
    bad = raw_message(raw_store(key=""))
    async with connected_broker(bot_url) as bot:
        await bot.publish(bad, user_id="bot", headers={headers.PRINCIPAL: "alice"})
        await bot.publish(bad, headers={headers.PRINCIPAL: "alice"})
    await system.broker.publish(bad, user_id="guest", headers={headers.PRINCIPAL: "carol"})
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 3), "all are parked")
    parked = await system.broker.parked("memory")
    assert sorted(str(one.headers.get(headers.PRINCIPAL)) for one in parked) == ["", "bot", "carol"]


async def test_the_principal_goes_through_the_retry_queues(
    start_system: StartSystem, failing: FailingSink, bot_url: str
) -> None:
    """A worker that publishes a command again does not become its author."""
    system = await start_system(failing, roles=[LANE])
    command = store()
    failing.poison(command.id)
    async with await connect(bot_url, "test", timedelta(seconds=5)) as connection:
        publisher = await Publisher.open(connection, user_id="bot")
        await publisher.publish(COMMANDS, "", message(command))
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 1), "it is parked")
    (parked,) = await system.broker.parked("memory")
    assert (parked.headers[headers.PRINCIPAL], parked.attempts) == ("bot", 3)
