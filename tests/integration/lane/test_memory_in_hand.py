"""Large messages: a lane holds a bounded number of bytes, however many the broker would hand out."""

import pytest
from aiormq.abc import DeliveredMessage

from memlane.contracts.topology import lane_queue
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.lane import gathering
from tests.integration.conftest import StartSystem
from tests.support.commands import message, store
from tests.support.system import LANE
from tests.support.waiting import wait_until


async def test_a_slow_sink_does_not_fill_the_memory(
    start_system: StartSystem, failing: FailingSink, memory: MemorySink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While it hangs on the first message, little more than the bound is taken; later all is applied."""
    monkeypatch.setattr(gathering, "MAX_BYTES_IN_HAND", 2_000_000)
    monkeypatch.setattr(gathering, "MAX_BATCH_BYTES", 500_000)
    most = 0

    class Watched(gathering.Gatherer):
        def put(self, message_: DeliveredMessage) -> None:
            nonlocal most
            super().put(message_)
            most = max(most, sum(len(one.body) for one in self.in_hand))

    monkeypatch.setattr("memlane.workers.lane.subscription.Gatherer", Watched)
    system = await start_system(failing, roles=[LANE])
    failing.hang()
    body = message(store(value="x" * 400_000))
    for n in range(40):
        await system.broker.publish(message(store(f"k{n}", value="x" * 400_000)))
    await wait_until(lambda: most >= 2_000_000, "the bound is reached")
    failing.heal()
    await wait_until(lambda: system.broker.is_empty(lane_queue("memory")), "the lane is empty")

    async def has_all() -> bool:
        return (await memory.stats("u")).live == 40

    await wait_until(has_all, "all are applied")
    assert most <= 2_000_000 + len(body)
