"""The client for programs without an event loop."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.client import BrokerUnreachable, Filters, IncompleteAnswer, InvalidInput, SyncMemoryClient
from memlane.storage.memory import FailingSink
from tests.support.system import System, client_settings


@pytest.fixture
def sync(system: System) -> SyncMemoryClient:
    """Not open yet: its calls block, so that a test's own loop must not be the one that calls."""
    return SyncMemoryClient(settings=system.client_settings())


async def in_thread(work: object) -> object:
    """What a plain thread comes to."""
    return await asyncio.to_thread(work)  # type: ignore[arg-type]


async def test_every_method_works_without_a_loop(sync: SyncMemoryClient) -> None:
    """The same names and options as the asynchronous client's."""

    def use() -> None:
        with sync as memory:
            receipt = memory.store("u", "k", {"a": 1}, tags=["t"], ttl=timedelta(hours=1), wait="all")
            assert receipt.applied == {"first", "second"}
            assert len(memory.store_many("u", {f"n{n}": n for n in range(600)}, wait="all")) == 600
            entry = memory.get("u", "k")
            assert entry is not None
            assert entry.value == {"a": 1}
            assert set(memory.get_many("u", ["k", "missing"])) == {"k", "missing"}
            assert len(memory.list("u", limit=10).hits) == 10
            assert len(list(memory.iterate("u"))) == 601
            assert [e.key for e in memory.iterate("u", filters=Filters(tags_any=("t",)))] == ["k"]
            assert len(memory.search("u", "a").hits) == 1
            assert [s.stats.live for s in memory.stats("u").sinks.values() if s.stats] == [601, 601]
            assert memory.health().healthy
            memory.flush()
            memory.delete("u", "k", wait="all")
            assert memory.get("u", "k") is None
            memory.delete_namespace("u", "x", wait="all")
            memory.forget("u", wait="all")
            assert memory.list("u").hits == []

    await in_thread(use)


async def test_threads_share_a_client(sync: SyncMemoryClient, first: FailingSink) -> None:
    """Their stores go out together."""

    def use() -> None:
        with sync as memory, ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: memory.store("u", f"k{n}", n), range(200)))
            found = list(pool.map(lambda n: memory.get("u", f"k{n}"), range(200)))
        assert [entry.value for entry in found if entry] == list(range(200))

    await in_thread(use)
    assert (await first.stats("u")).live == 200


async def test_an_iteration_may_be_broken_off(sync: SyncMemoryClient) -> None:
    """Nothing is left of it."""

    def use() -> None:
        with sync as memory:
            memory.store_many("u", {f"k{n}": n for n in range(3)}, wait="all")
            entries: Iterator[object] = memory.iterate("u")
            next(entries)

    await in_thread(use)


async def test_errors_come_out_of_the_call(
    sync: SyncMemoryClient, first: FailingSink, second: FailingSink
) -> None:
    """As they do from the asynchronous client."""

    def use() -> None:
        with sync as memory:
            with pytest.raises(InvalidInput, match="key"):
                memory.store("u", "", 1)
            first.go_down()
            second.go_down()
            with pytest.raises(IncompleteAnswer):
                memory.get("u", "k")

    await in_thread(use)


def test_its_thread_ends_with_it(tmp_path: Path, unused_tcp_port: int) -> None:
    """Also where it could not connect."""
    before = threading.active_count()
    url = f"amqp://127.0.0.1:{unused_tcp_port}/"
    client = SyncMemoryClient(settings=client_settings(url, tmp_path, outbox=False))
    with pytest.raises(BrokerUnreachable), client:
        pass
    assert threading.active_count() == before
    with pytest.raises(BrokerUnreachable, match="with"):
        client.get("u", "k")
