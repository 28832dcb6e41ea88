"""One store a message into SQLite, over taking the same messages and doing nothing."""

import asyncio
import time
from typing import Final

import aio_pika
from aio_pika.abc import AbstractIncomingMessage

from benchmarks import isolated, queues
from benchmarks.comparing import Benchmark, Comparison, alternate, check
from benchmarks.events import write_bodies
from benchmarks.lane_side import QUEUE, lane_turn
from benchmarks.venue import Venue
from memlane.workers.settings import WorkerSettings

ACK_EVERY: Final = 100


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(20_000, 5_000)
    bodies = write_bodies(venue.folder / "single", count, 1)

    def ours(turn: int) -> float:
        return lane_turn(venue, bodies, count, venue.folder / f"single-{turn}.db")

    def theirs(_turn: int) -> float:
        isolated.run(queues.fill, venue.amqp_url, QUEUE, bodies)
        rate = isolated.run(consume, venue.amqp_url, count)
        check(isolated.run(queues.wait_empty, venue.amqp_url, QUEUE), "messages were left in the queue")
        return rate

    with venue.topology(["sqlite"]):
        return alternate(venue.turns(5), ours, theirs)


async def consume(url: str, count: int) -> float:
    """Messages/s of a consumer that only counts and acks."""
    taken, done = 0, asyncio.Event()

    async def take(message: AbstractIncomingMessage) -> None:
        nonlocal taken
        taken += 1
        if taken % ACK_EVERY == 0 or taken == count:
            await message.ack(multiple=True)
        if taken == count:
            done.set()

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.set_qos(prefetch_count=WorkerSettings().prefetch)
        queue = await channel.get_queue(QUEUE, ensure=False)
        started = time.perf_counter()
        await queue.consume(take)
        await done.wait()
        return count / (time.perf_counter() - started)


BENCHMARK: Final = Benchmark(
    name="apply_single",
    ours="lane: RabbitMQ to SQLite, one store a message",
    theirs=f"aio-pika consumer that counts, same prefetch, one ack for {ACK_EVERY}",
    unit="messages/s",
    target=0.5,
    measure=measure,
)
