"""Rounds of the reconciler over filled sinks: equal ones, and ones that differ."""

import asyncio
import random
import statistics
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from pydantic import SecretStr

from benchmarks.comparing import check
from benchmarks.filled import Filled
from benchmarks.lane_side import working_lane
from benchmarks.venue import SINKS
from memlane.contracts.instants import now
from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import NOTHING_SAID
from memlane.producers.broker.connection import connect, user_of
from memlane.storage.sink import Sink
from memlane.workers.reconciler.doing import Reconciling, reconciling
from memlane.workers.reconciler.levelling import Levelling
from memlane.workers.reconciler.repairs import RepairBook
from memlane.workers.reconciler.round import Manner
from memlane.workers.settings import WorkerSettings

DIFFERING: Final = 100
"""Addresses: of one half SQLite lacks the newest version, of the other half Redis."""

_LATER_MS: Final = 30 * 60 * 1000
_ROUNDS: Final = 3
"""After one that is not counted."""

_STANDINGS: Final = dict.fromkeys(SINKS, NOTHING_SAID)


async def equal_rounds(url: str, stores: Sequence[Filled]) -> Mapping[int, float]:
    """Median milliseconds of rounds that find no difference, by size."""
    found: dict[int, float] = {}
    for store in stores:
        async with store.sinks() as sinks, _rounds(url, sinks) as rounds:
            took = [_checked(await _round(rounds), differing=0) for _ in range(1 + _ROUNDS)]
        found[store.size] = statistics.median(took[1:])
    return found


async def differing_rounds(url: str, stores: Sequence[Filled], turn: int) -> Mapping[int, float]:
    """Median milliseconds of rounds that repair 100 addresses, until the lanes have decided; likewise.

    Args:
        url: of the broker.
        stores: which sinks; afterwards they hold the same as each other again.
        turn: a number that rises from call to call.
    """
    found: dict[int, float] = {}
    serials = range(turn * (1 + _ROUNDS), (turn + 1) * (1 + _ROUNDS))
    for store in stores:
        took = []
        async with store.sinks() as sinks, _lanes(url, sinks), _rounds(url, sinks) as rounds:
            for serial in serials:
                await _make_differ(store, sinks, serial)
                took.append(_checked(await _round(rounds), differing=DIFFERING))
            sqlite, redis = [await sink.digests() for sink in sinks]
        check(sqlite == redis, "after a repair the sinks do not hold the same")
        found[store.size] = statistics.median(took[1:])
    return found


@asynccontextmanager
async def _rounds(url: str, sinks: Sequence[Sink]) -> AsyncIterator[Reconciling]:
    settings = WorkerSettings(amqp_url=SecretStr(url), sinks=",".join(SINKS))
    async with (
        await connect(url, "memlane benchmarks") as connection,
        reconciling(connection, settings, RepairBook(), sinks) as doing,
    ):
        yield doing


@asynccontextmanager
async def _lanes(url: str, sinks: tuple[Sink, Sink]) -> AsyncIterator[None]:
    sqlite, redis = sinks
    async with working_lane(sqlite, url), working_lane(redis, url):
        yield


async def _round(rounds: Reconciling) -> tuple[float, RoundReport]:
    manner = Manner(grace=rounds.settings.reconcile_grace)
    levelling = Levelling(manner.grace, user_of(rounds.settings.url))
    started = time.perf_counter()
    report = await rounds.round(manner, levelling, _STANDINGS)
    return (time.perf_counter() - started) * 1000, report


def _checked(done: tuple[float, RoundReport], *, differing: int) -> float:
    took, report = done
    for sink, one in report.sinks.items():
        found = one.part, one.lacked, one.repaired
        wanted = "source", differing // 2, differing // 2
        check(found == wanted, f"{sink}: {one.part} {one.reason}, of {one.lacked} repaired {one.repaired}")
    return took


async def _make_differ(store: Filled, sinks: tuple[Sink, Sink], serial: int) -> None:
    """Each sink alone gets newer versions of 50 entries, as if the other one's lane had lost them."""
    numbers = random.Random(serial).sample(range(store.size), DIFFERING)
    newer = [store.command(number, _LATER_MS + serial) for number in numbers]
    sqlite, redis = sinks
    half = DIFFERING // 2
    await asyncio.gather(sqlite.apply(newer[:half], now()), redis.apply(newer[half:], now()))
