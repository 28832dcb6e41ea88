"""What a lane is told when Redis is in trouble, and that nothing is half done."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from memlane.storage.conformance.commands import NOW, address, delete, delete_namespace, store
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.outcome import APPLIED
from memlane.storage.redis import RedisSink
from memlane.testing.servers import OwnServers, RedisServer

LARGE = "x" * 100_000


async def test_a_flushed_store_gets_a_new_incarnation(sink: RedisSink, raw: Any) -> None:
    """By the next apply, by stats, or by the health check."""
    seen = {(await sink.stats(None)).incarnation}
    await raw.flushdb()
    await sink.apply([store()], NOW)
    seen.add((await sink.stats(None)).incarnation)
    await raw.flushdb()
    seen.add((await sink.stats(None)).incarnation)
    await raw.flushdb()
    await sink.health()
    seen.add((await sink.stats(None)).incarnation)
    assert len(seen) == 4
    assert "" not in seen


async def test_a_flushed_store_can_be_opened_again(
    sink: RedisSink, server: RedisServer, raw: Any, prefix: str
) -> None:
    """Whatever was done to it first."""
    await raw.flushdb()
    await sink.apply([store()], NOW)
    async with RedisSink(server.url, prefix=prefix) as other:
        assert (await other.stats(None)).live == 1


async def test_the_incarnation_stays(sink: RedisSink, server: RedisServer, prefix: str) -> None:
    """Over every opening."""
    before = (await sink.stats(None)).incarnation
    async with RedisSink(server.url, prefix=prefix) as other:
        await other.apply([store()], NOW)
        assert (await other.stats(None)).incarnation == before


async def test_changes_count_what_changed(sink: RedisSink) -> None:
    """Once an apply, and not at all for a duplicate or for what came too late."""
    await sink.apply([store("a", at=2), store("b")], NOW)
    await sink.apply([store("a", at=2), store("a", at=1)], NOW)
    assert (await sink.stats(None)).changes == 1
    await sink.apply([delete_namespace("default", at=3)], NOW)
    assert (await sink.stats(None)).changes == 2


async def test_forgotten_scripts_are_sent_again(sink: RedisSink, raw: Any) -> None:
    """A restart or SCRIPT FLUSH loses them."""
    await sink.apply([store("a")], NOW)
    await raw.script_flush()
    assert await sink.apply([store("b")], NOW) == [APPLIED]
    await raw.script_flush()
    assert [found.state for found in await sink.fetch([address("a"), address("b")], NOW)] == ["entry"] * 2


async def test_a_key_of_another_type_fails_the_batch_before_the_first_write(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """A fault that is no outage propagates, and nothing of the batch is there."""
    await sink.apply([store("first")], NOW)
    before = await sink.stats("u")
    terms = next(iter([key async for key in raw.scan_iter(f"{prefix}:terms:*")]))
    await raw.rename(terms, f"{prefix}:aside")
    await raw.set(terms, "something else")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        await sink.apply([store("second"), store("third")], NOW)
    assert await sink.stats("u") == before
    await raw.rename(f"{prefix}:aside", terms)
    assert await sink.apply([store("second")], NOW) == [APPLIED]


async def test_full_memory_is_unavailable_and_nothing_is_half_done(sink: RedisSink, raw: Any) -> None:
    """The lane waits; reading goes on; with room again the same batch is applied."""
    await sink.apply([store("before")], NOW)
    used = (await raw.info("memory"))["used_memory"]
    batch = [store(f"k{n}", LARGE) for n in range(10)]
    await raw.config_set("maxmemory", used - 1)
    try:
        with pytest.raises(SinkUnavailable, match="maxmemory"):
            await sink.apply(batch, NOW)
        with pytest.raises(SinkUnavailable, match="maxmemory"):
            await sink.health()
        assert (await sink.stats("u")).live == 1
        assert (await sink.fetch([address("before")], NOW))[0].state == "entry"
    finally:
        await raw.config_set("maxmemory", 0)
    assert await sink.apply(batch, NOW) == [APPLIED] * 10


async def test_memory_that_ends_inside_a_batch_does_not_tear_it(sink: RedisSink, raw: Any) -> None:
    """Redis looks at the limit before the first write only: the batch goes through, the next one waits."""
    used = (await raw.info("memory"))["used_memory"]
    batch = [store(f"k{n}", LARGE) for n in range(20)]
    await raw.config_set("maxmemory", used + 4 * 1024 * 1024)
    try:
        for n in range(10):
            try:
                await sink.apply([c.model_copy(update={"user_id": f"u{n}"}) for c in batch], NOW)
            except SinkUnavailable:
                break
        live = [(await sink.stats(f"u{n}")).live for n in range(10)]
        assert set(live) == {0, 20}
    finally:
        await raw.config_set("maxmemory", 0)


async def test_a_replica_is_unavailable(sink: RedisSink, raw: Any) -> None:
    """It takes no writes until it is the primary again."""
    await raw.replicaof("127.0.0.1", 1)
    try:
        with pytest.raises(SinkUnavailable, match="replica"):
            await sink.apply([store()], NOW)
        with pytest.raises(SinkUnavailable, match="replica"):
            await sink.health()
    finally:
        await raw.replicaof("NO", "ONE")
    await sink.health()


async def _apply_until_refused(sink: RedisSink) -> None:
    while True:
        await sink.apply([store()], NOW)


async def test_somebodys_endless_script_is_busy(sink: RedisSink, server: RedisServer, raw: Any) -> None:
    """A later try may work."""
    await raw.config_set("lua-time-limit", 1)
    async with Redis.from_url(server.url) as other:
        endless = asyncio.ensure_future(other.eval("while true do end", 0))
        try:
            with pytest.raises(SinkBusy):
                await _apply_until_refused(sink)
        finally:
            await raw.script_kill()
            with pytest.raises(ResponseError):
                await endless
            await raw.config_set("lua-time-limit", 5000)
    assert await sink.apply([store()], NOW) == [APPLIED]


@pytest.fixture
async def hasty(server: RedisServer, prefix: str) -> AsyncIterator[RedisSink]:
    """A sink that does not wait long."""
    async with RedisSink(server.url, prefix=prefix, timeout=timedelta(seconds=1)) as sink:
        yield sink


async def test_a_server_that_does_not_answer_is_unavailable(hasty: RedisSink, server: RedisServer) -> None:
    """In bounded time. What it did meanwhile is not known; asking again does no harm."""
    await hasty.apply([store("a")], NOW)
    server.freeze()
    try:
        async with asyncio.timeout(10):
            with pytest.raises(SinkUnavailable):
                await hasty.apply([store("b"), delete("a", at=2)], NOW)
            with pytest.raises(SinkUnavailable):
                await hasty.health()
    finally:
        server.thaw()
    assert await hasty.apply([store("b"), delete("a", at=2)], NOW) == [APPLIED] * 2
    stats = await hasty.stats("u")
    assert (stats.live, stats.deleted, stats.digest.count) == (1, 1, 2)


async def test_a_restart_is_gone_through(own_servers: OwnServers, tmp_path: Path) -> None:
    """Down it is unavailable; up again, with its data, the same sink goes on."""
    with own_servers.redis(tmp_path, durable=True) as server:
        async with RedisSink(server.url) as sink:
            await asyncio.gather(*(sink.apply([store(f"k{n}")], NOW) for n in range(20)))
            before = await sink.stats(None)
            server.stop()
            with pytest.raises(SinkUnavailable, match=f"127.0.0.1:{server.port}"):
                await sink.health()
            server.start()
            await sink.health()
            await asyncio.gather(*(sink.fetch([address()], NOW) for _ in range(20)))
            after = await sink.stats(None)
            assert (after.incarnation, after.changes, after.live) == (before.incarnation, 20, 20)
