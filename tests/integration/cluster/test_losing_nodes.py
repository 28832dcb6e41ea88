"""A node that dies takes nothing with it that was confirmed, and holds nobody up for long."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import aio_pika
import pytest

from memlane.client import MemoryClient
from memlane.contracts.address import Address
from memlane.contracts.errors import MemlaneError
from memlane.contracts.topology import dead_queue, lane_queue, topology
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import apply_topology
from memlane.producers.ending import end
from memlane.storage.sqlite import SqliteSink
from memlane.testing.servers import PrivateRabbitCluster, PrivateRabbitMQ
from memlane.workers.lane import Lane
from tests.support.system import client_settings, worker_settings
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

PRODUCERS: Final = 3
ENOUGH: Final = 300
LONGEST_GAP: Final = timedelta(seconds=30)
PATIENCE: Final = timedelta(seconds=120)
_PAUSE_SECONDS: Final = 0.005


class Producer:
    """Stores one entry after the other, and keeps what was confirmed, and when."""

    def __init__(self, name: str, memory: MemoryClient) -> None:
        self.confirmed: dict[Address, str] = {}
        self.instants = [time.monotonic()]
        self.kept = 0
        self.failed: Counter[str] = Counter()
        self._name = name
        self._memory = memory

    async def run(self) -> None:
        """Until it is cancelled. What fails may have arrived or not: nothing was promised."""
        number = 0
        while True:
            number += 1
            address = Address(self._name, "default", f"k{number}")
            try:
                receipt = await self._memory.store(self._name, address.key, number, wait="broker")
            except MemlaneError as error:
                self.failed[str(error)] += 1
            else:
                if receipt.confirmed:
                    self.confirmed[address] = receipt.version
                    self.instants.append(time.monotonic())
                else:
                    self.kept += 1
            await asyncio.sleep(_PAUSE_SECONDS)

    def __repr__(self) -> str:
        return f"{self._name}: {len(self.confirmed)} confirmed, {self.kept} kept, failed: {dict(self.failed)}"

    @property
    def longest_gap(self) -> float:
        """Seconds between two confirms."""
        instants = [*self.instants, time.monotonic()]
        return max(later - earlier for earlier, later in pairwise(instants))


async def declare(cluster: PrivateRabbitCluster) -> None:
    """Everything of memlane's; a node that is killed at once would forget its queues."""
    async with await connect(cluster.url, "test") as connection:
        await apply_topology(connection, topology(["sqlite"], retry_delays=[timedelta(milliseconds=50)]))
    names = [lane_queue("sqlite"), dead_queue("sqlite")]
    await wait_until(
        lambda: all(node.has_on_disk(name) for node in cluster.nodes for name in names),
        "the queues are on every node's disk",
        PATIENCE,
    )


@asynccontextmanager
async def writing(cluster: PrivateRabbitCluster, folder: Path) -> AsyncIterator[list[Producer]]:
    """Producers that write all the time, each with the URLs of all nodes."""
    async with AsyncExitStack() as exits:
        producers: list[Producer] = []
        for number in range(PRODUCERS):
            settings = client_settings(cluster.url, folder / str(number))
            memory = await exits.enter_async_context(MemoryClient(settings=settings))
            producers.append(Producer(f"user-{number}", memory))
        tasks = [asyncio.create_task(one.run()) for one in producers]
        try:
            yield producers
        finally:
            await end(*tasks)


async def until_more(producers: list[Producer]) -> None:
    """Waits until each of them has so many more confirms than now."""
    before = [len(one.confirmed) for one in producers]

    def have() -> bool:
        return all(len(one.confirmed) >= had + ENOUGH for one, had in zip(producers, before, strict=True))

    try:
        await wait_until(have, f"each producer has {ENOUGH} more confirms", PATIENCE)
    except AssertionError:
        raise AssertionError(f"no {ENOUGH} confirms more than {before}: {producers}") from None


async def missing(sink: SqliteSink, producers: list[Producer]) -> list[Address]:
    """The addresses at which the sink does not hold what was confirmed."""
    confirmed = [item for one in producers for item in one.confirmed.items()]
    lacking: list[Address] = []
    for first in range(0, len(confirmed), 200):
        chunk = confirmed[first : first + 200]
        found = await sink.fetch([address for address, _ in chunk], datetime.now(UTC))
        lacking += [
            address
            for (address, version), one in zip(chunk, found, strict=True)
            if one.entry is None or one.entry.version != version
        ]
    return lacking


async def bring_back(cluster: PrivateRabbitCluster, node: PrivateRabbitMQ) -> None:
    """Starts a node, and waits until all are one cluster again."""
    await asyncio.to_thread(node.start)
    await asyncio.to_thread(node.control, "await_online_nodes", str(len(cluster.nodes)))


async def test_one_node_dies_during_writes_and_then_another(
    cluster: PrivateRabbitCluster, tmp_path: Path
) -> None:
    """The second when the first is back: nothing that was confirmed is lost, and writes go on in 30 s."""
    await declare(cluster)
    async with SqliteSink(tmp_path / "memory.db") as sink:
        lane = Lane(sink, worker_settings(cluster.url, ["sqlite"], retry_delays=("PT0.05S",)))
        running = asyncio.create_task(lane.run())
        async with writing(cluster, tmp_path) as producers:
            await until_more(producers)
            for node in cluster.nodes[:2]:
                await asyncio.to_thread(node.kill)
                await until_more(producers)
                await bring_back(cluster, node)
                await until_more(producers)
        gap = max(one.longest_gap for one in producers)
        confirmed = sum(len(one.confirmed) for one in producers)

        async def all_there() -> bool:
            return not await missing(sink, producers)

        await wait_until(all_there, "every confirmed command is in the sink", PATIENCE)
        lane.stop()
        await running
    kept, failed = sum(one.kept for one in producers), sum(one.failed.total() for one in producers)
    print(f"\n{confirmed:,} confirmed, {kept:,} kept, {failed:,} failed, longest gap {gap:.1f} s")  # noqa: T201
    assert gap < LONGEST_GAP.total_seconds()


async def test_the_nodes_are_one_broker(cluster: PrivateRabbitCluster) -> None:
    """What is published by one node is taken from another."""
    first, _, last = cluster.nodes
    async with await aio_pika.connect(first.url) as one, await aio_pika.connect(last.url) as other:
        channel = await one.channel()
        arguments = {"x-queue-type": "quorum"}
        queue = await channel.declare_queue("shared", durable=True, arguments=dict(arguments))
        await channel.default_exchange.publish(aio_pika.Message(b"remember"), queue.name)
        taken = await (await (await other.channel()).get_queue("shared")).get(timeout=10)
        assert taken.body == b"remember"
        await taken.ack()
        await queue.delete(if_unused=False, if_empty=False)
