"""Our side of the write benchmarks: a lane that works off a backlog, into SQLite."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

from pydantic import SecretStr

from benchmarks import isolated, queues
from benchmarks.comparing import check
from benchmarks.events import stored_values
from benchmarks.venue import Venue
from memlane.contracts.topology import lane_queue
from memlane.storage.sink import Sink
from memlane.storage.sqlite import SqliteSink
from memlane.workers.lane import Lane
from memlane.workers.settings import WorkerSettings
from memlane.workers.state import RoleState

QUEUE = lane_queue("sqlite")


def lane_turn(venue: Venue, bodies: Path, count: int, database: Path) -> float:
    """Fills the lane's queue, lets a lane empty it, and checks what it stored; returns commands/s."""
    isolated.run(queues.fill, venue.amqp_url, QUEUE, bodies)
    rate = isolated.run(work_off, venue.amqp_url, database, count)
    check(isolated.run(queues.wait_empty, venue.amqp_url, QUEUE), "the lane left messages in its queue")
    check_rows(database, "SELECT version, value FROM rows WHERE kind = 1", bodies)
    return rate


async def work_off(url: str, database: Path, count: int) -> float:
    """Commands/s of a lane into SQLite, from the start of consumption until so many are applied."""
    async with SqliteSink(database) as sink:
        return await work_off_into(sink, url, count)


async def work_off_into(sink: Sink, url: str, count: int) -> float:
    """The same into any sink, which is open."""
    async with working_lane(sink, url) as lane:
        started = time.perf_counter()
        while lane.applied < count:  # noqa: ASYNC110
            await asyncio.sleep(0.002)  # the lane only counts; it tells nobody
        return count / (time.perf_counter() - started)


@asynccontextmanager
async def working_lane(sink: Sink, url: str) -> AsyncIterator[Lane]:
    """A lane that consumes, into a sink that is open; what it has in hand at the end it finishes.

    Raises:
        Exception: the lane ended before its time, with that.
    """
    running = asyncio.Event()

    def note(state: RoleState) -> None:
        if state.ready:
            running.set()

    lane = Lane(sink, WorkerSettings(amqp_url=SecretStr(url), sinks=sink.name))
    lane.state.on_change = note
    async with asyncio.TaskGroup() as group:
        group.create_task(lane.run())
        await running.wait()
        try:
            yield lane
        finally:
            lane.stop()


def check_rows(database: Path, select: str, bodies: Path) -> None:
    """Checks that a database holds exactly what prepared messages store.

    Args:
        database: a SQLite file.
        select: yields versions and the JSON of their values.
        bodies: the messages, a line each.
    """
    with closing(sqlite3.connect(database)) as connection:
        found = dict(connection.execute(select))
    wanted = stored_values(bodies)
    check(len(found) == len(wanted), f"{len(found):,} rows, {len(wanted):,} were stored")
    check(found == wanted, "rows hold other values than were stored")
