"""A sink that is away for long delays nobody."""

import asyncio

import pytest

from memlane.client import MemoryClient
from memlane.storage.memory import FailingSink
from memlane.workers.aggregator import asking
from memlane.workers.aggregator.asking import FAILURES_TO_AVOID
from tests.integration.aggregator.conftest import Put, keys
from tests.integration.conftest import StartSystem
from tests.support.commands import store
from tests.support.system import AGGREGATOR, RESPONDER
from tests.support.waiting import wait_until


async def test_a_sink_that_hangs_for_long_is_not_waited_for(
    start_system: StartSystem, first: FailingSink, second: FailingSink, put: Put, local: bool
) -> None:
    """After some answers that came late because of it, answers come at once, and say that it is missing."""
    system = await start_system(first, second, roles=[RESPONDER, AGGREGATOR], local=local)
    await put(first, store("a"))
    second.hang()
    loop = asyncio.get_running_loop()
    async with system.client(deadline="PT1S") as client:
        for _ in range(FAILURES_TO_AVOID):
            await client.list("u")
        started = loop.time()
        answers = [await client.list("u") for _ in range(10)]
    assert loop.time() - started < 5, "each that waits for it takes a second"
    assert [keys(answer.hits) for answer in answers] == [["a"]] * 10
    assert {answer.complete for answer in answers} == {False}
    assert {answer.sinks["second"].status for answer in answers} == {"unavailable"}
    second.heal()


async def test_it_is_asked_again_from_time_to_time(
    client: MemoryClient, second: FailingSink, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that it takes part again soon after it is back."""
    monkeypatch.setattr(asking, "AVOID_SECONDS", 0.05)
    second.go_down()
    for _ in range(FAILURES_TO_AVOID + 2):
        assert not (await client.list("u")).complete
    await put_when_back(second, put)

    async def takes_part() -> bool:
        return (await client.list("u")).complete

    await wait_until(takes_part, "it takes part again")


async def put_when_back(sink: FailingSink, put: Put) -> None:
    """Heals a sink, and gives it something to hold."""
    sink.heal()
    await put(sink, store())


async def test_where_no_sink_answers_all_are_asked(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Avoiding them would help nobody: the first one that is back answers the next question."""
    first.go_down()
    second.go_down()
    for _ in range(FAILURES_TO_AVOID + 2):
        await client.list("u")
    await put_when_back(second, put)
    assert await client.get("u", "k") is not None
