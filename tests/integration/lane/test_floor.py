"""Below a sink's floor: what a producer sends is parked, what a worker repairs is applied."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from memlane.contracts import headers
from memlane.contracts.topology import dead_queue, lane_queue
from memlane.producers.broker.connection import connect, user_of
from memlane.producers.broker.publisher import Publisher
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.lane_sender import LaneSender
from memlane.workers.parcels import packed
from memlane.workers.sweeper import floor_at
from tests.integration.conftest import StartSystem
from tests.support.commands import message, store
from tests.support.system import LANE
from tests.support.waiting import wait_until

OLD: Final = timedelta(days=-100)
DAYS: Final = timedelta(days=90)


@pytest.fixture
async def floored(memory: MemorySink) -> MemorySink:
    """A sink that has forgotten its deletes of more than 90 days ago."""
    now = datetime.now(UTC)
    async with memory:
        await memory.sweep(now, floor=floor_at(now, DAYS))
    return memory


async def test_a_store_below_the_floor_is_parked_with_the_reason(
    start_system: StartSystem, floored: MemorySink
) -> None:
    """It leaves no row; its neighbours are applied. Whoever is no worker can't call it a repair."""
    system = await start_system(floored, roles=[LANE])
    old = store("old", ahead=OLD)
    await system.broker.publish(message(old, store("new")), headers={headers.REPAIR: True}, user_id=None)
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 1), "the old one is parked")
    (parked,) = await system.broker.parked("memory")
    assert (parked.body, parked.error_class) == (message(old), "RefusedBySink")
    assert "forgotten a delete" in parked.error_text
    assert headers.REPAIR not in parked.headers
    stats = await floored.stats(None)
    assert (stats.live, stats.refused) == (1, 0)


async def test_a_repair_is_applied_and_no_other_with_it(
    start_system: StartSystem, failing: FailingSink, floored: MemorySink
) -> None:
    """Although they come in one batch; and it stays a repair when it is tried again."""
    system = await start_system(failing, roles=[])
    repaired, plain = store("repaired", ahead=OLD), store("plain", ahead=OLD)
    failing.fail("apply", error=ValueError("just now"), times=1)
    connection = await connect(system.url, "test")
    async with connection:
        sender = LaneSender(await Publisher.open(connection, user_id=user_of(system.url)))
        await sender.open()
        (parcel,) = packed(None, [repaired])
        with sender.send("memory", parcel, repair=True) as sent:
            await sent.publish()
            await system.broker.publish(message(plain), routing_key=lane_queue("memory"), exchange="")
            system.populate([failing], [LANE])
            await sent.wait(10)
            assert sent.receipts[repaired.id].decision == "applied"
    await wait_until(lambda: system.broker.holds(dead_queue("memory"), 1), "the other one is parked")
    (parked,) = await system.broker.parked("memory")
    assert parked.body == message(plain)
    assert failing.batches[0] == [repaired.id]
    assert (await floored.stats(None)).live == 1
