"""An aggregator and its responders share the work, end in good order, and come back by themselves."""

import asyncio
from datetime import timedelta

from memlane.contracts.topology import QUERY_QUEUE, sink_query_queue
from memlane.storage.memory import FailingSink
from memlane.workers.aggregator import Aggregator
from memlane.workers.responder import Responder
from tests.integration.aggregator.conftest import Put, keys
from tests.integration.conftest import StartSystem
from tests.support.broker import Depth, declare
from tests.support.commands import store
from tests.support.proxy import network
from tests.support.system import AGGREGATOR, RESPONDER
from tests.support.waiting import wait_until


async def test_what_is_in_hand_is_answered_before_the_end(
    start_system: StartSystem, first: FailingSink, put: Put, local: bool
) -> None:
    """A question that was taken is answered, although the whole system was told to stop meanwhile."""
    system = await start_system(first, roles=[RESPONDER, AGGREGATOR], local=local)
    await put(first, store("a"))
    async with system.client() as client:
        first.slow(timedelta(milliseconds=200), "find")
        asked = asyncio.create_task(client.list("u"))
        await wait_until(lambda: first.calls["find"] == 1, "it is being answered")
        await system.stop(*system.roles)
        assert keys((await asked).hits) == ["a"]


async def test_aggregators_share_the_questions(
    start_system: StartSystem, first: FailingSink, put: Put, local: bool
) -> None:
    """When one of them goes, the other goes on."""
    system = await start_system(first, roles=[RESPONDER, AGGREGATOR], local=local)
    await put(first, store("a"))
    other = system.start(Aggregator(system.settings))
    await system.until_ready(other)
    assert await system.broker.depth(QUERY_QUEUE) == Depth(0, 2)
    async with system.client() as client:
        assert [keys((await client.list("u")).hits) for _ in range(10)] == [["a"]] * 10
        await system.stop(other)
        assert [keys((await client.list("u")).hits) for _ in range(10)] == [["a"]] * 10


async def test_responders_share_the_questions(
    start_system: StartSystem, first: FailingSink, put: Put
) -> None:
    """One sink may have any number of them."""
    system = await start_system(first, roles=[RESPONDER, AGGREGATOR])
    await put(first, store("a"))
    other = system.start(Responder(first, system.settings))
    await system.until_ready(other)
    assert await system.broker.depth(sink_query_queue("first")) == Depth(0, 2)
    async with system.client() as client:
        assert [keys((await client.list("u")).hits) for _ in range(10)] == [["a"]] * 10
        await system.stop(other)
        assert [keys((await client.list("u")).hits) for _ in range(10)] == [["a"]] * 10


async def test_a_sink_without_a_responder_is_missing_and_comes_back(
    start_system: StartSystem, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Nobody answers for it, until somebody does."""
    system = await start_system(first, second, roles=[RESPONDER, AGGREGATOR])
    await put(first, store("a"))
    await system.stop(system.responders["second"])
    async with system.client(deadline="PT1S") as client:
        answer = await client.list("u")
        assert (keys(answer.hits), answer.complete) == (["a"], False)
        assert answer.sinks["second"].status == "timeout"
        system.populate([second], [RESPONDER])

        async def is_complete() -> bool:
            return (await client.list("u")).complete

        await wait_until(is_complete, "it takes part again")


async def test_they_come_back_after_their_connections_were_cut(
    start_system: StartSystem, first: FailingSink, put: Put, broker_url: str, local: bool
) -> None:
    """By themselves; each consumes once."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(first, roles=[RESPONDER, AGGREGATOR], url=url, local=local)
        system.url = broker_url
        await put(first, store("a"))
        async with system.client() as client:
            for _ in range(2):
                proxy.cut()
                await wait_until(lambda: system.aggregators[0].state.condition == "waiting", "it has noticed")
                await system.until_ready()
                assert keys((await client.list("u")).hits) == ["a"]
        assert await system.broker.depth(QUERY_QUEUE) == Depth(0, 1)
        assert await system.broker.depth(sink_query_queue("first")) == Depth(0, 1)


async def test_they_can_be_stopped_while_the_broker_is_away(
    start_system: StartSystem, first: FailingSink, broker_url: str
) -> None:
    """At once, although they try to connect again and again."""
    async with network(broker_url) as (proxy, url):
        system = await start_system(first, roles=[RESPONDER, AGGREGATOR], url=url)
        await proxy.close()
        await wait_until(lambda: {r.state.condition for r in system.roles} == {"waiting"}, "they wait")
        async with asyncio.timeout(2):
            await system.stop(*system.roles)


async def test_a_queue_that_goes_and_comes_back_is_consumed_again(
    start_system: StartSystem, first: FailingSink, put: Put
) -> None:
    """As after its node went down: the broker ends the subscription, and the connection lasts."""
    system = await start_system(first, roles=[RESPONDER, AGGREGATOR])
    await put(first, store("a"))
    for queue in (QUERY_QUEUE, sink_query_queue("first")):
        await system.broker.channel.queue_delete(queue)
    waiting = [system.responders["first"].state, system.aggregators[0].state]
    await wait_until(lambda: [state.ready for state in waiting] == [False] * 2, "both have noticed")
    await declare(system.broker, ["first"], retry_delays=system.settings.retry_delays)
    await system.until_ready()
    async with system.client() as client:
        assert keys((await client.list("u")).hits) == ["a"]
