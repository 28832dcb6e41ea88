"""What a sweep finds is said."""

from datetime import UTC, datetime
from typing import Final

from structlog.testing import capture_logs

from memlane.contracts.fingerprint import BUCKETS, address_hash, bucket_of
from memlane.storage.conformance.commands import address, store
from memlane.storage.memory import MemorySink
from memlane.workers.settings import WorkerSettings
from memlane.workers.sweeper import Sweeper

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
