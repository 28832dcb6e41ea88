"""Ten thousand stores at once by the client, over publishing the same commands one by one."""

import asyncio
import json
import time
from pathlib import Path
from typing import Final

import aio_pika
from aio_pika import DeliveryMode, Message
from pydantic import SecretStr

from benchmarks import isolated, queues
from benchmarks.comparing import Benchmark, Comparison, alternate, check
from benchmarks.events import events, write_bodies
from benchmarks.venue import SINKS, Venue
from memlane.client import MemoryClient
from memlane.contracts.topology import COMMANDS, lane_queue
from memlane.producers.settings import ClientSettings

IN_FLIGHT: Final = 100


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(10_000, 2_000)
    bodies = write_bodies(venue.folder / "stores", count, 1).read_bytes().splitlines()

    def ours(turn: int) -> float:
        with venue.topology(SINKS):
            rate = isolated.run(store_all, venue.amqp_url, count, venue.folder / f"state-{turn}")
            _check_arrived(venue, count)
        return rate

    def theirs(_turn: int) -> float:
        with venue.topology(SINKS):
            rate = isolated.run(publish_all, venue.amqp_url, bodies)
            _check_arrived(venue, count)
        return rate

    return alternate(venue.turns(7), ours, theirs)


async def store_all(url: str, count: int, state_dir: Path) -> float:
    """Stores/s of concurrent calls of the client."""
    wanted = list(events(count))
    settings = ClientSettings(amqp_url=SecretStr(url), state_dir=state_dir)
    async with MemoryClient(settings=settings) as memory:
        started = time.perf_counter()
        receipts = await asyncio.gather(
            *(
                memory.store(
                    event.user_id,
                    event.key,
                    event.value,
                    namespace=event.namespace,
                    metadata=event.metadata,
                )
                for event in wanted
            )
        )
        seconds = time.perf_counter() - started
    check(all(receipt.confirmed for receipt in receipts), "not every store was confirmed")
    return count / seconds


async def publish_all(url: str, bodies: list[bytes]) -> float:
    """Messages/s of aio-pika publishing prepared bodies, 100 confirms in flight."""
    room = asyncio.Semaphore(IN_FLIGHT)
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(COMMANDS, ensure=False)

        async def publish(body: bytes) -> None:
            async with room:
                message = Message(
                    body, content_type="application/json", delivery_mode=DeliveryMode.PERSISTENT
                )
                await exchange.publish(message, "", mandatory=True)

        started = time.perf_counter()
        await asyncio.gather(*map(publish, bodies))
        return len(bodies) / (time.perf_counter() - started)


def _check_arrived(venue: Venue, count: int) -> None:
    """Every lane must have every command, with its value."""
    wanted = {event.place: event.value for event in events(count)}
    for sink in SINKS:
        found = {}
        for body in isolated.run(queues.take_all, venue.amqp_url, lane_queue(sink)):
            for command in json.loads(body)["commands"]:
                place = command["user_id"], command.get("namespace", "default"), command["key"]
                found[place] = command["value"]
        check(found == wanted, f"{len(found):,} of {len(wanted):,} stores came to the lane of {sink}")


BENCHMARK: Final = Benchmark(
    name="store_concurrent",
    ours="client.store, all at once",
    theirs=f"aio-pika publishes of the same bodies, {IN_FLIGHT} confirms in flight",
    unit="stores/s",
    target=4.0,
    measure=measure,
)
