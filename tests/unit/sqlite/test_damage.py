"""What somebody, or a disk, can do to a row of the database: a recount finds it, and nobody is served it."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest

from memlane.contracts.fingerprint import address_hash, bucket_of
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, delete, delete_namespace, forget, store
from memlane.storage.outcome import SweepReport
from memlane.storage.sqlite import SqliteSink

BUCKET = bucket_of(address_hash(*address()))


@pytest.fixture
async def sink(tmp_path: Path) -> AsyncIterator[SqliteSink]:
    """On a new file."""
    async with SqliteSink(tmp_path / "memory.db") as sink:
        yield sink


def change(folder: Path, sql: str) -> None:
    """One row, behind the sink's back."""
    with closing(sqlite3.connect(folder / "memory.db")) as connection, connection:
        assert connection.execute(sql).rowcount == 1


@pytest.mark.parametrize(
    "change_",
    [
        "value = NULL",
        "value = x'ff'",
        "value = CAST(x'22fffe22' AS TEXT)",
        "value = 'no JSON'",
        "tags = 'no JSON'",
        "tags = '[1]'",
        "metadata = '[]'",
        "metadata = NULL",
        "importance = 99",
        "importance = 'high'",
        "session_id = x'ff'",
        "project_id = CAST(x'ff' AS TEXT)",
        "created_us = NULL",
        "created_us = 1 << 62",
        "expires_us = 'never'",
    ],
)
async def test_what_is_no_entry_is_not_served(sink: SqliteSink, tmp_path: Path, change_: str) -> None:
    """It would spoil the whole answer; sent again, it is as it was."""
    command = store("k", "red wine", at=2)
    await asking.apply(sink, command, store("other"))
    before = await sink.digests()
    change(tmp_path, f"UPDATE rows SET {change_} WHERE key = 'k'")  # noqa: S608  the test's own text
    assert await sink.sweep(NOW, recount=BUCKET) == SweepReport(damaged=1)
    assert await sink.sweep(NOW, recount=BUCKET) == SweepReport(damaged=1)
    assert await asking.keys(sink) == ["other"]
    assert await asking.search(sink, "wine") == []
    assert (await asking.state(sink, address()))[0] == "unknown"
    assert (await sink.stats("u")).refused == 1
    await asking.apply(sink, command)
    assert await asking.keys(sink) == ["k", "other"]
    assert await asking.search(sink, "wine") == ["k"]
    assert await sink.digests() == before
    assert (await sink.stats("u")).refused == 0


@pytest.mark.parametrize(
    "change_", ["version = 'none'", "kind = 2", "importance = 9", "expires_us = 9999999999999999"]
)
async def test_every_part_of_a_row_counts(sink: SqliteSink, tmp_path: Path, change_: str) -> None:
    """Whatever was changed, the row is not intact, and is mended by its command."""
    command = store(at=2)
    await asking.apply(sink, command)
    before = await sink.digests()
    change(tmp_path, f"UPDATE rows SET {change_} WHERE key = 'k'")  # noqa: S608  the test's own text
    assert (await sink.sweep(NOW, recount=BUCKET)).damaged == 1
    await asking.apply(sink, command)
    assert await sink.digests() == before
    assert await asking.value(sink, address()) == "a value"


async def test_a_deleted_row_that_was_made_live_is_not_served(sink: SqliteSink, tmp_path: Path) -> None:
    """It has no content."""
    await asking.apply(sink, delete(at=2))
    change(tmp_path, "UPDATE rows SET kind = 1")
    assert (await sink.sweep(NOW, recount=BUCKET)).damaged == 1
    assert await asking.keys(sink) == []


async def test_a_damaged_row_under_a_mark_goes_with_the_others(sink: SqliteSink, tmp_path: Path) -> None:
    """It does not come back as one that the mark leaves."""
    commands = [store(f"k{n}", namespace="a") for n in range(1100)]
    await asking.apply(sink, *commands)
    await asking.apply(sink, delete_namespace("a", at=2))
    left = await asking.held(sink)
    assert len(left) > 50, "a new mark takes so many at once, the rest by and by"
    place = next(one.place for one in left if one.kind is not None)
    change(tmp_path, f"UPDATE rows SET value = '1' WHERE key = '{place[-1]}'")  # noqa: S608
    bucket = bucket_of(address_hash("u", "a", str(place[-1])))
    changes = (await sink.stats(None)).changes
    assert await sink.sweep(NOW, limit=0, recount=bucket) == SweepReport(damaged=1, more=True)
    assert (await sink.stats(None)).changes == changes
    assert (await asking.sweep(sink)).purged == len(left) - 1
    assert await asking.keys(sink) == []


async def test_a_mark_that_somebody_changed_is_left_as_it_is(sink: SqliteSink, tmp_path: Path) -> None:
    """What was deleted stays deleted; it is only no source for others."""
    await asking.apply(sink, delete_namespace("a", at=1), forget("v", at=2))
    change(tmp_path, "UPDATE marks SET hash = 'ffffffffffffffffffffffffffffffff' WHERE user_id = 'u'")
    before = {trace.place: trace for trace in await sink.versions(bucket_of(address_hash("u", "a")))}
    assert await sink.sweep(NOW, recount=bucket_of(address_hash("u", "a"))) == SweepReport(corrected=True)
    held = {trace.place: trace for trace in await asking.held(sink)}
    assert {place: trace.intact for place, trace in held.items()} == {("u", "a"): False, ("v", None): True}
    assert before.items() <= held.items()
