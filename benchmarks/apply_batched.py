"""A backlog in full messages into SQLite, over the database alone."""

import sqlite3
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks import isolated
from benchmarks.comparing import Benchmark, Comparison, alternate
from benchmarks.events import write_bodies
from benchmarks.lane_side import check_rows, lane_turn
from benchmarks.venue import Venue
from memlane.contracts.limits import MAX_COMMANDS
from memlane.storage.sqlite.schema import ROW_COLUMNS, TABLES, UPSERT_ROW

ROWS_A_TRANSACTION: Final = 200


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`."""
    count = venue.size(200_000, 20_000)
    bodies = write_bodies(venue.folder / "batched", count, MAX_COMMANDS)

    def ours(turn: int) -> float:
        return lane_turn(venue, bodies, count, venue.folder / f"batched-{turn}.db")

    def theirs(turn: int) -> float:
        target = venue.folder / f"raw-{turn}.db"
        rate = isolated.run(insert_all, venue.folder / f"batched-{turn}.db", target)
        check_rows(target, "SELECT version, value FROM rows WHERE kind = 1", bodies)
        return rate

    with venue.topology(["sqlite"]):
        return alternate(venue.turns(3), ours, theirs)


# A coroutine, because that is what runs in a process of its own.
async def insert_all(source: Path, target: Path) -> float:
    """Rows/s of writing the very rows that the lane wrote into the same tables of another file."""
    with closing(sqlite3.connect(source)) as connection:
        rows = connection.execute(f"SELECT {', '.join(ROW_COLUMNS)} FROM rows ORDER BY id").fetchall()
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.executescript(TABLES)
        started = time.perf_counter()
        left = iter(rows)
        while batch := list(islice(left, ROWS_A_TRANSACTION)):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(UPSERT_ROW, batch)
            connection.execute("COMMIT")
        return len(rows) / (time.perf_counter() - started)


BENCHMARK: Final = Benchmark(
    name="apply_batched",
    ours="lane: RabbitMQ to SQLite, 500 stores a message",
    theirs="sqlite3 executemany of the same rows, 200 a transaction",
    unit="rows/s",
    target=0.4,
    measure=measure,
)
