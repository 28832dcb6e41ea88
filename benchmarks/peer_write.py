"""One store a message into SQLite, over the same with FastStream and a commit a message."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from benchmarks import isolated, queues
from benchmarks.comparing import Benchmark, Comparison, alternate, check
from benchmarks.events import write_bodies
from benchmarks.lane_side import QUEUE, check_rows, lane_turn
from benchmarks.venue import Venue
from memlane.contracts.canonical import canonical
from memlane.workers.settings import WorkerSettings

# Less than memlane keeps: no digest, no index for searching. What is compared is in the peer's favour.
_TABLE: Final = """
CREATE TABLE memories (
  user_id TEXT NOT NULL, namespace TEXT NOT NULL, key TEXT NOT NULL, version TEXT NOT NULL,
  value TEXT NOT NULL, metadata TEXT NOT NULL, PRIMARY KEY (user_id, namespace, key)
)
"""
_UPSERT_IF_NEWER: Final = """
INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (user_id, namespace, key) DO UPDATE SET
  version = excluded.version, value = excluded.value, metadata = excluded.metadata
WHERE excluded.version > memories.version
"""


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(20_000, 4_000)
    bodies = write_bodies(venue.folder / "peer", count, 1)

    def ours(turn: int) -> float:
        return lane_turn(venue, bodies, count, venue.folder / f"ours-{turn}.db")

    def theirs(turn: int) -> float:
        isolated.run(queues.fill, venue.amqp_url, QUEUE, bodies)
        database = venue.folder / f"peer-{turn}.db"
        rate = isolated.run(serve, venue.amqp_url, database, count)
        check(isolated.run(queues.wait_empty, venue.amqp_url, QUEUE), "the peer left messages in the queue")
        check_rows(database, "SELECT version, value FROM memories", bodies)
        return rate

    with venue.topology(["sqlite"]):
        return alternate(venue.turns(4), ours, theirs)


async def serve(url: str, database: Path, count: int) -> float:
    """Messages/s of a FastStream subscriber that upserts and commits each message."""
    prefetch = Channel(prefetch_count=WorkerSettings().prefetch)
    broker = RabbitBroker(url, default_channel=prefetch, logger=None)
    done = asyncio.Event()
    taken = 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(_TABLE)

        # Any: it is what JSON gave.
        @broker.subscriber(RabbitQueue(QUEUE, queue_type=QueueType.QUORUM, declare=False))
        async def upsert(message: dict[str, Any]) -> None:
            nonlocal taken
            for command in message["commands"]:
                # Straight in the loop: a thread for each statement, as aiosqlite does it, is slower here.
                connection.execute(
                    _UPSERT_IF_NEWER,
                    (
                        command["user_id"],
                        command.get("namespace", "default"),
                        command["key"],
                        command["id"],
                        canonical(command["value"]),
                        canonical(command.get("metadata", {})),
                    ),
                )
            connection.commit()
            taken += 1
            if taken == count:
                done.set()

        await broker.connect()
        started = time.perf_counter()
        await broker.start()
        await done.wait()
        seconds = time.perf_counter() - started
        await broker.stop()
    return count / seconds


BENCHMARK: Final = Benchmark(
    name="peer_write",
    ours="lane: RabbitMQ to SQLite, one store a message",
    theirs="FastStream subscriber: upsert if newer and commit a message, same prefetch and durability",
    unit="messages/s",
    target=3.0,
    measure=measure,
)
