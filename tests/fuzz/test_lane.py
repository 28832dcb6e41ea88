"""Whatever comes, a lane applies it or parks it with a reason, goes on, and harms nothing beside it."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, MutableMapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import structlog
from aiormq.abc import DeliveredMessage

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.topology import dead_queue, lane_queue
from memlane.producers.broker.connection import connect
from memlane.producers.broker.driver import Channel
from tests.fuzz.fuzzing import Fuzzed, fuzzed, pool_for
from tests.fuzz.ledger import Ledger, RecordingSqlite
from tests.support.broker import Broker, connected_broker
from tests.support.commands import message, store
from tests.support.system import LANE, System, running_system
from tests.support.waiting import wait_until

COUNT: Final = int(os.environ.get("FUZZ_COUNT") or 2000)
SEED: Final = int(os.environ.get("FUZZ_SEED") or Random().randrange(10**6))
CHUNK: Final = 200
VALID_ONE_IN: Final = 5
PATIENCE: Final = timedelta(seconds=60 + COUNT / 20)


@pytest.fixture
def broker_url(vhosts: Iterator[str]) -> str:
    """The URL of a virtual host that nobody else uses."""
    return next(vhosts)


@pytest.fixture
def quiet() -> Iterator[None]:
    """Logs nothing: a lane says a line about each letter."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory(), processors=[_nothing])
    yield
    structlog.configure(**before)


@pytest.fixture
def sqlite(tmp_path: Path) -> RecordingSqlite:
    """A durable sink."""
    return RecordingSqlite(tmp_path / "memory.db")


@pytest.mark.usefixtures("quiet")
@pytest.mark.timeout(120 + COUNT / 10)
async def test_fuzzed_messages_are_applied_or_parked(
    broker_url: str, sqlite: RecordingSqlite, tmp_path: Path
) -> None:
    """Each of them; the lane keeps its one subscription, and every valid command beside them is applied."""
    ledger = Ledger(sqlite)
    pool = pool_for(COUNT, SEED)
    sent: list[Fuzzed] = []
    valid: list[StoreCommand] = []
    system: System
    async with connected_broker(broker_url) as broker:
        async with running_system(broker, [sqlite], tmp_path / "state", roles=[LANE]) as system:
            conditions: list[str] = []
            system.lane.state.on_change = lambda state: conditions.append(state.condition)
            subscriptions = await _consumers(broker)
            async with _collecting(broker_url, ledger):
                began = time.monotonic()
                await _publish(broker, pool, sent, valid)
                published = time.monotonic() - began
                await _until_decided(broker, ledger, sent, valid)
            took = time.monotonic() - began
            _tell(sent, valid, ledger, published, took)
            assert conditions == [], f"seed {SEED}: the lane did not stay up"
            assert await _consumers(broker) == subscriptions == 1
            problems = [found for one in sent if (found := ledger.problem(one))]
            assert problems == [], f"seed {SEED}"
            assert ledger.strangers == [], f"seed {SEED}"
            assert ledger.without_reason == [], f"seed {SEED}"
            assert await _wrong(sqlite, valid) == [], f"seed {SEED}"


async def _consumers(broker: Broker) -> int:
    return (await broker.depth(lane_queue("sqlite"))).consumers


async def _publish(broker: Broker, pool: list[bytes], sent: list[Fuzzed], valid: list[StoreCommand]) -> None:
    """Straight to the exchange, with valid stores in between; so many at a time."""
    waiting: list[asyncio.Task[None]] = []
    for one in fuzzed(COUNT, SEED, pool):
        waiting.append(asyncio.create_task(broker.publish(one.body, **one.properties)))
        # Without its body: a hundred thousand of them are kept.
        sent.append(replace(one, body=one.body[:200]))
        if one.number % VALID_ONE_IN == 0:
            command = store(f"k{one.number}", {"number": one.number}, user="valid")
            valid.append(command)
            waiting.append(asyncio.create_task(broker.publish(message(command), app_id="valid")))
        if len(waiting) >= CHUNK:
            await asyncio.gather(*waiting)
            waiting.clear()
    await asyncio.gather(*waiting)


async def _until_decided(
    broker: Broker, ledger: Ledger, sent: list[Fuzzed], valid: list[StoreCommand]
) -> None:
    await wait_until(lambda: broker.is_empty(lane_queue("sqlite")), "the lane has taken all", PATIENCE)
    left = list(sent)
    missing = {command.id for command in valid}

    def done() -> bool:
        left[:] = [one for one in left if not ledger.is_settled(one)]
        missing.difference_update(ledger.sink.decided)
        return not left and not missing

    try:
        await wait_until(done, "everything is decided", PATIENCE)
    except AssertionError:
        problems = [ledger.problem(one) for one in left[:20]]
        raise AssertionError(
            f"seed {SEED}: {len(left)} undecided, {len(missing)} valid: {problems}"
        ) from None


# Any: what structlog hands over.
def _nothing(_logger: Any, _name: str, _event: MutableMapping[str, Any]) -> str:
    raise structlog.DropEvent


@asynccontextmanager
async def _collecting(url: str, ledger: Ledger) -> AsyncIterator[None]:
    """Takes what is parked out of the queue as it comes."""
    connection = await connect(url, "fuzz letters")
    try:
        channel = await (await connection.channel()).get_underlay_channel()
        assert isinstance(channel, Channel)
        await channel.basic_qos(prefetch_count=2000)
        letters: asyncio.Queue[int] = asyncio.Queue()

        def take(got: DeliveredMessage) -> None:
            ledger.add(got)
            letters.put_nowait(got.delivery_tag or 0)

        await channel.subscribe(dead_queue("sqlite"), take)
        acking = asyncio.create_task(_ack(channel, letters))
        try:
            yield
        finally:
            acking.cancel()
            await asyncio.gather(acking, return_exceptions=True)
    finally:
        await connection.close()


async def _ack(channel: Channel, letters: "asyncio.Queue[int]") -> None:
    while True:
        tag = await letters.get()
        while not letters.empty():
            tag = letters.get_nowait()
        await channel.basic_ack(tag, multiple=True)


async def _wrong(sqlite: RecordingSqlite, valid: list[StoreCommand]) -> list[Address]:
    """The addresses at which is not what valid traffic has stored there."""
    wrong: list[Address] = []
    for first in range(0, len(valid), CHUNK):
        chunk = valid[first : first + CHUNK]
        found = await sqlite.fetch([one.address for one in chunk], datetime.now(UTC))
        wrong += [
            command.address
            for command, one in zip(chunk, found, strict=True)
            if one.entry is None or one.entry.version != command.id or one.entry.value != command.value
        ]
    return wrong


def _tell(
    sent: list[Fuzzed], valid: list[StoreCommand], ledger: Ledger, published: float, took: float
) -> None:
    """What to say about a run: its seed, first of all."""
    malformed = sum(one.malformed for one in sent)
    mixed = sum(bool(one.bad) for one in sent)
    print(  # noqa: T201
        f"\nfuzz: seed {SEED}, {len(sent):,} messages ({malformed:,} unreadable, {mixed:,} with bad commands,"
        f" {len(sent) - malformed - mixed:,} readable) and {len(valid):,} valid ones beside them,"
        f" published in {published:.1f} s, decided in {took:.1f} s\n"
        f"  applied or superseded: {len(ledger.sink.decided):,} versions;"
        f" parked: {ledger.classes.total():,} letters: {dict(ledger.classes.most_common())}"
    )
