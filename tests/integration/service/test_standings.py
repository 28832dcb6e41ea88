"""What is said about a sink holds for every worker, also for those that start later."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from redis.asyncio import Redis

from memlane.client import MemoryClient
from memlane.contracts.reply import SinkStats
from memlane.contracts.standing import NOTHING_SAID, Event
from memlane.contracts.topology import STANDING, lane_queue
from memlane.producers.broker.publisher import Publisher
from memlane.producers.broker.standings import say, standings_now
from memlane.storage.settings import SinkSettings
from tests.integration.service.conftest import Settings
from tests.support.broker import Broker, declare
from tests.support.serving import Served, serving
from tests.support.waiting import wait_until

_FAST: Final = {"watch_interval": "PT0.1S", "reconcile_interval": "PT0.5S", "reconcile_grace": "PT0.5S"}
_PATIENCE: Final = timedelta(seconds=30)


async def test_a_paused_sink_waits_and_the_others_go_on(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, broker: Broker
) -> None:
    """A worker that starts later is paused, too; when it is resumed, everything is applied."""
    async with serving(settings(**_FAST), sinks) as served:
        await served.until_ready(200)
        await client.store("u", "before", 1, wait="all")
        await _say(broker, "redis", "paused", "the disk is changed")
        await _until_lane(served, "redis", "paused", "the disk is changed")
        receipt = await client.store("u", "meanwhile", 2, wait={"sqlite"})
        assert receipt.applied == {"sqlite"}
    async with serving(settings(**_FAST), sinks) as served:
        await _until_lane(served, "redis", "paused", "the disk is changed")
        assert (await broker.depth(lane_queue("redis"))).messages == 1
        assert await client.get("u", "before") is not None
        await _say(broker, "redis", "resumed")
        await served.until_ready(200)
        await _until_equal(client, 2)


async def test_a_wiped_store_is_noticed_and_filled_from_the_log(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, broker: Broker
) -> None:
    """Meanwhile it is not asked; what was deleted stays deleted; writes go on."""
    async with serving(settings(**_FAST), sinks) as served:
        await served.until_ready(200)
        await client.store_many("u", {f"k{n}": n for n in range(700)})
        await client.delete("u", "k1")
        await client.delete_namespace("u", "gone")
        await client.store("u", "k0", "newer", wait="all")
        async with _redis(sinks) as redis:
            await redis.flushdb()
        await client.store("u", "after", "the flush")
        await wait_until(lambda: _was(broker, "redis", "rebuilding"), "it is known to be wiped", _PATIENCE)
        assert (await client.list("u", limit=10)).complete
        await wait_until(lambda: _is_level(broker, "redis"), "it is level", _PATIENCE)
        await _until_equal(client, 700)
        answer = await client.stats("u")
        assert {name: said.status for name, said in answer.sinks.items()} == {"redis": "ok", "sqlite": "ok"}


async def test_an_endless_backlog_is_cut_off_and_the_sink_is_filled_later(
    settings: Settings, sinks: SinkSettings, client: MemoryClient, broker: Broker
) -> None:
    """Its lane grows no further; others are not touched. Resumed, it takes commands again and lacks none."""
    async with serving(settings(**_FAST, max_backlog=20), sinks) as served:
        await served.until_ready(200)
        await _say(broker, "redis", "paused")
        await _until_lane(served, "redis", "paused")
        for n in range(21):
            await client.store("u", f"k{n}", n)
        await wait_until(lambda: _was(broker, "redis", "cut-off"), "the lane is cut off", _PATIENCE)
        await wait_until(lambda: _takes_nothing(broker, client), "it takes nothing more", _PATIENCE)
        answer = await client.stats("u")
        assert answer.sinks["redis"].status == "rebuilding"
        assert answer.sinks["sqlite"].status == "ok"
    async with serving(settings(**_FAST, max_backlog=20), sinks) as served:
        await client.store("u", "last", 1, wait={"sqlite"})
        backlog = await broker.depth(lane_queue("redis"))
        await client.store("u", "really", 1, wait={"sqlite"})
        assert await broker.depth(lane_queue("redis")) == backlog, "a restart has bound it again"
        await _say(broker, "redis", "resumed")
        await wait_until(lambda: _is_level(broker, "redis"), "it is level", _PATIENCE)
        await served.until_ready(200)
        sqlite, redis = await _held(client)
        assert (sqlite.live, sqlite.digest) == (redis.live, redis.digest)


async def test_a_new_sink_is_filled_from_the_log(
    settings: Settings, sinks: SinkSettings, client: MemoryClient
) -> None:
    """It joins a deployment that was used before."""
    async with serving(settings(sinks="sqlite", **_FAST), sinks) as served:
        await served.until_ready(200)
        await client.store_many("u", {f"k{n}": n for n in range(100)}, wait={"sqlite"})
        await client.delete("u", "k1", wait={"sqlite"})
    async with serving(settings(**_FAST), sinks) as served:
        await served.until_ready(200)
        await _until_equal(client, 99)


async def test_notices_that_are_none_are_passed_over(broker: Broker) -> None:
    """Whoever wrote them."""
    await declare(broker, ["sqlite"])
    unknown = b'{"schema":1,"sink":"sqlite","event":"exploded","at":"2026-01-01T00:00:00Z"}'
    for body in (b"", b"{}", b"[]", unknown):
        await broker.publish(body, exchange="", routing_key=STANDING)
    assert (await standings_now(broker.connection))["sqlite"] == NOTHING_SAID
    await _say(broker, "sqlite", "paused")
    assert (await standings_now(broker.connection))["sqlite"].paused is not None


async def _say(broker: Broker, sink: str, event: Event, reason: str = "") -> None:
    publisher = await Publisher.open(broker.connection)
    await say(publisher, sink, event, reason=reason, by="somebody")
    await publisher.channel.close()


async def _until_lane(served: Served, sink: str, condition: str, reason: str = "") -> None:
    async def holds() -> bool:
        role = (await served.ready())[1].get(f"lane {sink}", {})
        return role.get("condition") == condition and reason in role.get("reason", "")

    await wait_until(holds, f"the lane of {sink} is {condition}")


async def _was(broker: Broker, sink: str, event: Event) -> bool:
    standing = (await standings_now(broker.connection))[sink]
    return (standing.rebuilding if event == "rebuilding" else standing.cut_off) is not None


async def _is_level(broker: Broker, sink: str) -> bool:
    return (await standings_now(broker.connection))[sink].rebuilding is None


async def _takes_nothing(broker: Broker, client: MemoryClient) -> bool:
    before = (await broker.depth(lane_queue("redis"))).messages
    await client.store("u", "more", 1, wait={"sqlite"})
    return (await broker.depth(lane_queue("redis"))).messages == before


async def _held(client: MemoryClient) -> tuple[SinkStats, SinkStats]:
    said = (await client.stats("u")).sinks
    sqlite, redis = said["sqlite"].stats, said["redis"].stats
    assert sqlite is not None
    assert redis is not None
    return sqlite, redis


async def _until_equal(client: MemoryClient, live: int) -> None:
    async def equal() -> bool:
        said = (await client.stats("u")).sinks.values()
        stats = [one.stats for one in said if one.stats]
        return (
            len(stats) == 2 and stats[0].digest == stats[1].digest and {one.live for one in stats} == {live}
        )

    await wait_until(equal, f"both sinks hold the same {live} entries", _PATIENCE)


@asynccontextmanager
async def _redis(sinks: SinkSettings) -> AsyncIterator[Redis]:
    redis: Redis = Redis.from_url(sinks.redis_url)
    try:
        yield redis
    finally:
        await redis.aclose()
