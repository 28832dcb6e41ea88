"""How long a write and a get take with a sink whose server hangs, over the same without that sink."""

import asyncio
import random
import shlex
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import isolated
from benchmarks.comparing import Benchmark, Comparison, check
from benchmarks.events import Event
from benchmarks.system import client, running_system
from benchmarks.venue import Venue

_SERVER: Final = Path(__file__).with_name("hanging_server.py")
_WARM_UP: Final = 50


def measure(venue: Venue) -> Comparison:
    """See `BENCHMARK`. Each turn starts the system anew, with the broken sink and without it."""
    count = venue.size(400, 100)
    command = shlex.join([sys.executable, str(_SERVER)])
    comparison = Comparison()
    for turn in range(venue.turns(3)):
        settings = {
            "MEMLANE_MCP_COMMAND": command,
            "MEMLANE_MCP_DIR": str(venue.folder / f"broken-{turn}"),
            "MEMLANE_MCP_TIMEOUT": "1s",
        }
        with running_system(venue, broken="mcp", settings=settings) as stored:
            comparison.ours.append(_p50(venue, stored, count))
        with running_system(venue) as stored:
            comparison.theirs.append(_p50(venue, stored, count))
    return comparison


def _p50(venue: Venue, stored: Sequence[Event], count: int) -> float:
    return isolated.run(write_and_get, venue.amqp_url, stored, count, venue.folder / "asker")


async def write_and_get(url: str, stored: Sequence[Event], count: int, state_dir: Path) -> float:
    """Median ms of a store that SQLite has applied and a get of another entry, one after the other."""
    dice = random.Random(1)
    took = []
    async with client(url, state_dir) as memory:
        for number in range(_WARM_UP + count):
            event = dice.choice(stored)
            started = time.perf_counter()
            receipt = await memory.store("writer", f"k{number % 100}", number, wait=frozenset({"sqlite"}))
            entry = await memory.get(event.user_id, event.key, namespace=event.namespace)
            took.append(time.perf_counter() - started)
            check(receipt.applied >= {"sqlite"}, "a store was not applied")
            check(entry is not None and entry.value == event.value, f"another value at {event.place}")
            await asyncio.sleep(0)
    return statistics.median(took[_WARM_UP:]) * 1000


BENCHMARK: Final = Benchmark(
    name="mcp_broken",
    ours="store applied by SQLite, then a get: with an MCP sink whose server hangs: p50",
    theirs="the same without the MCP sink: p50",
    unit="ms",
    target=1.2,
    less_is_better=True,
    measure=measure,
)
