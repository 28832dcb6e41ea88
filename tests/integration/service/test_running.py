"""A service: every role in one process, or some; it says how it is, and ends in good order."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from memlane.client import IncompleteAnswer, MemoryClient
from memlane.contracts.codec import decode_message
from memlane.contracts.fingerprint import BUCKETS
from memlane.contracts.topology import lane_queue
from memlane.storage.settings import SinkSettings
from memlane.storage.sqlite import SqliteSink
from memlane.testing.servers import RedisServer
from memlane.workers.service import SINK_ROLES, Plan, serve
from tests.integration.service.conftest import Settings
from tests.support.broker import Broker, Depth
from tests.support.proxy import network
from tests.support.serving import serving
from tests.support.waiting import wait_until


async def test_what_is_stored_is_in_every_sink(
    settings: Settings, sinks: SinkSettings, client: MemoryClient
) -> None:
    """SQLite and Redis end up with the same digest."""
    async with serving(settings(), sinks) as served:
        await served.until_ready(200)
        receipts = await client.store_many("u", {f"k{n}": n for n in range(50)}, wait="all")
        assert {receipt.applied for receipt in receipts} == {frozenset({"sqlite", "redis"})}
        digests = [said.stats.digest for said in (await client.stats()).sinks.values() if said.stats]
        assert digests[0] == digests[1]
        assert digests[0].count == 50


async def test_readiness_follows_the_sinks(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, redis: RedisServer
) -> None:
    """Not ready while one is away, with its name and the reason; ready again by itself; alive all along."""
    redis.stop()
    async with serving(settings(), sinks) as served:
        _, roles = await served.until_ready(503)
        await wait_until(lambda: _is_waiting(served, "lane redis"), "the lane says that it waits")
        redis.start()
        _, roles = await served.until_ready(200)
        assert set(roles) == {
            *(f"{role} {sink}" for role in SINK_ROLES for sink in ("sqlite", "redis")),
            "standings",
            "aggregator",
            "backlog watch",
            "reconciler",
        }
        await client.store("u", "k", 1, wait="all")
        redis.stop()
        _, roles = await served.until_ready(503)
        assert roles["lane redis"]["condition"] == "waiting"
        assert f"127.0.0.1:{redis.port}" in roles["lane redis"]["reason"]
        assert roles["lane sqlite"]["condition"] == "running"
        assert await served.live() == 200
        redis.start()
        await served.until_ready(200)


async def _is_waiting(served: object, role: str) -> bool:
    _, roles = await served.ready()  # type: ignore[attr-defined]
    return bool(roles.get(role, {}).get("condition") == "waiting")


async def test_a_sink_that_is_down_at_the_start_is_its_own_trouble(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, redis: RedisServer, broker: Broker
) -> None:
    """The others serve; what it missed waits in its lane until it is there."""
    redis.stop()
    async with serving(settings(), sinks) as served:
        await served.until_ready(503)
        receipt = await client.store("u", "k", 1, wait={"sqlite"})
        assert receipt.applied == {"sqlite"}
        entry = await client.get("u", "k")
        assert entry is not None
        assert await broker.depth(lane_queue("redis")) == Depth(1, 0)
        redis.start()
        await served.until_ready(200)
        await wait_until(lambda: broker.is_empty(lane_queue("redis")), "its lane is empty")

        async def agree() -> bool:
            told = [said.stats for said in (await client.stats()).sinks.values()]
            return len({stats.digest.sum for stats in told if stats}) == 1

        await wait_until(agree, "both hold the same")


async def test_a_signal_ends_it_in_good_order(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, broker: Broker
) -> None:
    """What it has in hand is applied and acked; nobody consumes any more."""
    async with serving(settings(), sinks) as served:
        await served.until_ready(200)
        await client.store_many("u", {f"k{n}": n for n in range(3000)})
        served.terminate()
        await served.ended()
    for sink in ("sqlite", "redis"):
        assert (await broker.depth(lane_queue(sink))).consumers == 0
    left = [decode_message(one.body).commands for one in await broker.take(lane_queue("sqlite"))]
    waiting = {command.id for commands in left for command in commands}
    async with SqliteSink(sinks.sqlite_path) as held:
        applied = {trace.version for bucket in range(BUCKETS) for trace in await held.versions(bucket)}
    assert not applied & waiting
    assert len(applied | waiting) == 3000


async def test_its_end_is_bounded(settings: Settings, sinks: SinkSettings, broker: Broker) -> None:
    """A broker that does not answer does not keep it."""
    async with network(broker.url) as (proxy, url):
        only_lane = Plan(sink_roles=("lane",), sinks=("sqlite",))
        options = settings(amqp_url=url, drain_timeout="PT0.1S")
        async with serving(options, sinks, only_lane) as served:
            await served.until_ready(200)
            proxy.freeze()
            served.terminate()
            await served.ended()


async def test_roles_run_apart(settings: Settings, sinks: SinkSettings, client: MemoryClient) -> None:
    """One role a process, in any order, comes to the same as all in one."""
    options = settings(health_port=None)
    plans = [Plan(aggregator=True)]
    plans += [Plan((role,), (sink,)) for sink in ("sqlite", "redis") for role in ("responder", "lane")]
    running = [asyncio.create_task(serve(plan, options, sinks)) for plan in plans]
    try:
        await wait_until(lambda: _is_complete(client), "the aggregator has answers of both")
        receipt = await client.store("u", "k", 1, wait="all")
        assert receipt.applied == {"sqlite", "redis"}
        assert await client.get("u", "k") is not None
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _is_complete(client: MemoryClient) -> bool:
    with suppress(IncompleteAnswer):
        return (await client.stats()).complete
    return False


async def test_what_has_expired_is_swept(
    settings: Settings, sinks: SinkSettings, client: MemoryClient
) -> None:
    """Its content goes from the sinks; that it was there is kept."""
    async with serving(settings(sweep_interval="PT0.05S"), sinks) as served:
        await served.until_ready(200)
        await client.store("u", "k", 1, ttl=timedelta(milliseconds=50), wait="all")

        async def is_swept() -> bool:
            told = [said.stats for said in (await client.stats("u")).sinks.values()]
            return [(stats.live, stats.expired) for stats in told if stats] == [(0, 1)] * 2

        await wait_until(is_swept, "it is swept from both")
