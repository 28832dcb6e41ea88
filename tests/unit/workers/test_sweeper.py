"""What a sweep finds is said."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from structlog.testing import capture_logs

from memlane.contracts.fingerprint import BUCKETS, address_hash, bucket_of
from memlane.contracts.version import make_version, split_version
from memlane.storage.conformance.commands import address, delete, forget, moment, store
from memlane.storage.memory import MemorySink
from memlane.workers.settings import WorkerSettings
from memlane.workers.sweeper import Sweeper, floor_at

BUCKET: Final = bucket_of(address_hash(*address()))


async def _round(sweeper: Sweeper) -> list[tuple[str, int, int | None]]:
    """What a round through all buckets says: level, bucket, count."""
    with capture_logs() as lines:
        for _ in range(BUCKETS):
            await sweeper.recount()
    return [(line["log_level"], line["bucket"], line.get("count")) for line in lines]


async def test_damage_is_an_error_with_its_bucket_and_count() -> None:
    """Once for each time that its bucket is come by, until something takes its place."""
    async with MemorySink() as sink:
        sweeper = Sweeper(sink, WorkerSettings())
        await sink.apply([store()], datetime.now(UTC))
        assert await _round(sweeper) == []
        row = sink.state.row(address())
        assert row is not None
        assert row.command is not None
        row.command = row.command.model_copy(update={"value_json": '"changed"'})
        assert await _round(sweeper) == [("error", BUCKET, 1)]
        assert await _round(sweeper) == [("error", BUCKET, 1)]
        await sink.apply([store()], datetime.now(UTC))
        assert await _round(sweeper) == []


@pytest.mark.parametrize("hour", [0, 7, 23])
def test_the_floor_is_that_of_a_whole_day(hour: int) -> None:
    """So that sinks which are swept at different times of a day come to the same."""
    now = datetime(2026, 4, 30, hour, 59, 59, 999_999, tzinfo=UTC)
    floor = floor_at(now, timedelta(days=90))
    assert split_version(floor) == (int(datetime(2026, 1, 30, tzinfo=UTC).timestamp() * 1000), 0)
    assert floor_at(now, timedelta(days=1_000_000 // 2)) == make_version(0, 0)


async def test_deletes_are_forgotten_only_where_that_is_wanted() -> None:
    """Those that are older than the setting says."""
    later = moment(0) + timedelta(days=91)
    async with MemorySink() as sink:
        await sink.apply([delete(at=1), forget("v", at=86_400), store("live")], moment(100_000))
        await Sweeper(sink, WorkerSettings(), now=lambda: later).sweep()
        assert (await sink.stats(None)).deleted == 1
        settings = WorkerSettings(tombstone_age=timedelta(days=90))
        with capture_logs() as lines:
            await Sweeper(sink, settings, now=lambda: later).sweep()
        found = await sink.stats(None)
        assert (found.live, found.deleted, found.marks) == (1, 0, 1)
        assert [(line["log_level"], line["count"]) for line in lines] == [("info", 1)]
        assert (await sink.health()).floor == floor_at(later, timedelta(days=90))
