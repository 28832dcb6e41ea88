"""The command log into an empty SQLite sink, over applying the same commands to one directly."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from benchmarks import isolated, queues
from benchmarks.comparing import Benchmark, Comparison, alternate, check
from benchmarks.events import write_bodies
from benchmarks.lane_side import check_rows, working_lane
from benchmarks.venue import Venue
from memlane.contracts.codec import decode_message
from memlane.contracts.instants import now
from memlane.contracts.limits import MAX_COMMANDS
from memlane.contracts.topology import LOG
from memlane.producers.broker.connection import connect
from memlane.storage.sqlite import SqliteSink
from memlane.workers.replay import Replay, Wanted
from memlane.workers.settings import WorkerSettings

_SELECT: Final = "SELECT version, value FROM rows WHERE kind = 1"


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(100_000, 10_000)
    bodies = write_bodies(venue.folder / "logged", count, MAX_COMMANDS)

    def ours(turn: int) -> float:
        database = venue.folder / f"replayed-{turn}.db"
        with isolated.background(lane_at_work, venue.amqp_url, database):
            rate = isolated.run(replay_all, venue.amqp_url, count)
        check_rows(database, _SELECT, bodies)
        return rate

    def theirs(turn: int) -> float:
        database = venue.folder / f"applied-{turn}.db"
        rate = isolated.run(apply_all, bodies, database)
        check_rows(database, _SELECT, bodies)
        return rate

    with venue.topology(["sqlite"]):
        isolated.run(queues.fill, venue.amqp_url, LOG, bodies)
        return alternate(venue.turns(3), ours, theirs)


@asynccontextmanager
async def lane_at_work(url: str, database: Path) -> AsyncIterator[None]:
    """The lane that decides what is replayed, into an empty sink."""
    async with SqliteSink(database) as sink, working_lane(sink, url):
        yield


async def replay_all(url: str, count: int) -> float:
    """Commands/s of a replay from the first one on, until all are decided."""
    settings = WorkerSettings(amqp_url=SecretStr(url), sinks="sqlite")
    replay = Replay("sqlite", Wanted(begin="first"), settings)
    async with await connect(url, "memlane benchmarks") as connection:
        started = time.perf_counter()
        report = await replay.run(connection, restart=True)
        seconds = time.perf_counter() - started
    check(not report.gap, "the log has a gap")
    check(report.progress.commands == count, f"{report.progress.commands:,} of {count:,} were replayed")
    return count / seconds


async def apply_all(bodies: Path, database: Path) -> float:
    """Commands/s of applying the same to an empty sink, in batches as large as a lane's."""
    with bodies.open("rb") as lines:
        commands = list(chain.from_iterable(decode_message(line).commands for line in lines))
    size = WorkerSettings().batch_commands
    async with SqliteSink(database) as sink:
        started = time.perf_counter()
        for start in range(0, len(commands), size):
            await sink.apply(commands[start : start + size], now())
        return len(commands) / (time.perf_counter() - started)


BENCHMARK: Final = Benchmark(
    name="replay",
    ours=f"memlane replay: the command log to a lane and into an empty SQLite sink, {MAX_COMMANDS} a message",
    theirs="the SQLite sink alone applies the same commands, 500 a batch",
    unit="commands/s",
    target=0.6,
    measure=measure,
)
