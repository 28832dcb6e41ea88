"""A database file that is removed or replaced while the sink runs: it is told, and found again."""

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, store
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.sqlite import SqliteSink

ENDINGS = ("", "-wal", "-shm")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is; in a folder of its own."""
    return tmp_path / "store" / "memory.db"


@pytest.fixture
async def sink(path: Path) -> AsyncIterator[SqliteSink]:
    """On a new file."""
    async with SqliteSink(path) as sink:
        yield sink


def beside(path: Path, ending: str) -> Path:
    """A file of a database."""
    return path.with_name(path.name + ending)


def remove(path: Path) -> None:
    """Removes the main file; its log and the index of that stay behind."""
    path.unlink()


def move(path: Path, to: Path) -> None:
    """Moves the main file."""
    path.rename(to)


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return [file.name for file in folder.iterdir()]


def copy(path: Path, folder: Path) -> Path:
    """A copy of all files of a database that nobody writes to just now."""
    folder.mkdir()
    for ending in ENDINGS:
        if beside(path, ending).exists():
            shutil.copy(beside(path, ending), folder)
    return folder / path.name


def put_back(copied: Path, path: Path, endings: tuple[str, ...]) -> None:
    """Puts these of the copied files in the place of what is there, as new files."""
    for ending in endings:
        shutil.copy(beside(copied, ending), beside(path, ".new"))
        beside(path, ".new").replace(beside(path, ending))


def replace_by_text(path: Path) -> None:
    """Puts a file in its place that is no database."""
    beside(path, ".new").write_bytes(b"no database at all, " * 100)
    beside(path, ".new").replace(path)


def take_back(path: Path) -> None:
    """Makes the store say that it has come less far."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE meta SET value = value - 1 WHERE name = 'changes'")


async def assert_everything_raises(sink: SqliteSink) -> None:
    """Whatever is asked of it but its health."""
    calls = [
        sink.apply([store("lost")], NOW),
        sink.fetch([address()], NOW),
        asking.page(sink),
        sink.stats(None),
        sink.digests(),
        sink.versions(0),
        sink.sweep(NOW),
    ]
    for call in calls:
        with pytest.raises(SinkUnavailable, match="removed or replaced"):
            await call


async def test_a_removed_file_is_made_anew(sink: SqliteSink, path: Path) -> None:
    """By the health check, as another store; until then nothing is taken that would be lost."""
    await asking.apply(sink, store("before", "red wine"))
    before = await sink.health()
    remove(path)
    await assert_everything_raises(sink)
    with capture_logs() as lines:
        after = await sink.health()
    assert [line["event"] for line in lines] == [
        "the SQLite file was removed or replaced, what is there now was opened"
    ]
    assert after.incarnation != before.incarnation
    assert await asking.held(sink) == []
    await asking.apply(sink, store("after", "white wine"))
    assert await asking.search(sink, "wine") == ["after"]
    assert (await sink.health())[:2] == (after.incarnation, 1)


async def test_a_removed_folder_is_made_anew(sink: SqliteSink, path: Path) -> None:
    """Like the file."""
    shutil.rmtree(path.parent)
    await sink.health()
    await asking.apply(sink, store())
    assert await asking.keys(sink) == ["k"]


async def test_what_was_written_since_is_there_after_a_restart(sink: SqliteSink, path: Path) -> None:
    """In the new file, and in no other."""
    await asking.apply(sink, store("before"))
    remove(path)
    await sink.health()
    await asking.apply(sink, store("after"))
    async with SqliteSink(path) as other:
        assert await asking.keys(other) == ["after"]
    await sink.__aexit__(None, None, None)
    assert names(path.parent) == [path.name]
    async with SqliteSink(path) as other:
        assert await asking.keys(other) == ["after"]


@pytest.mark.parametrize("endings", [ENDINGS, ("",), ("", "-wal")])
async def test_an_older_copy_is_another_store(
    sink: SqliteSink, path: Path, tmp_path: Path, endings: tuple[str, ...]
) -> None:
    """With its own log beside it or without: what it lacks must be brought again."""
    await asking.apply(sink, store("a"))
    copied = copy(path, tmp_path / "copy")
    await asking.apply(sink, store("b"))
    await asking.apply(sink, store("c"))
    before = await sink.health()
    put_back(copied, path, endings)
    await assert_everything_raises(sink)
    after = await sink.health()
    assert after.incarnation != before.incarnation
    assert await asking.keys(sink) == (["a"] if "-wal" in endings else [])
    assert after == await sink.health()
    async with SqliteSink(path) as other:
        assert await other.health() == after


async def test_an_older_copy_is_known_by_what_was_applied_since_the_last_check(
    sink: SqliteSink, path: Path, tmp_path: Path
) -> None:
    """How far the store had come is read from the file that is gone."""
    before = await sink.health()
    await asking.apply(sink, store("a"))
    copied = copy(path, tmp_path / "copy")
    await asking.apply(sink, store("b"))
    put_back(copied, path, ENDINGS)
    assert (await sink.health()).incarnation != before.incarnation
    assert await asking.keys(sink) == ["a"]


async def test_a_copy_that_lacks_nothing_is_the_same_store(
    sink: SqliteSink, path: Path, tmp_path: Path
) -> None:
    """As when somebody moved it to another disk and back."""
    await asking.apply(sink, store("a"))
    before = await sink.health()
    copied = copy(path, tmp_path / "copy")
    put_back(copied, path, ENDINGS)
    assert await sink.health() == before
    assert await asking.keys(sink) == ["a"]


async def test_another_store_in_its_place_is_that_one(sink: SqliteSink, path: Path, tmp_path: Path) -> None:
    """Under its own identity, and nothing of the old one's log is read as its own."""
    await asking.apply(sink, *(store(f"old {n}", "x" * 1000) for n in range(100)))
    async with SqliteSink(tmp_path / "other.db") as other:
        await asking.apply(other, store("of the other"))
        expected = await other.health()
    put_back(tmp_path / "other.db", path, ("",))
    assert await sink.health() == expected
    assert await asking.keys(sink) == ["of the other"]
    assert len(await asking.held(sink)) == 1


async def test_a_moved_file_keeps_everything(sink: SqliteSink, path: Path, tmp_path: Path) -> None:
    """Also what was only in its log, which stays behind."""
    await asking.apply(sink, *(store(f"k{n}") for n in range(20)))
    move(path, tmp_path / "moved.db")
    await sink.health()
    async with SqliteSink(tmp_path / "moved.db") as moved:
        assert len(await asking.held(moved)) == 20
    assert await asking.held(sink) == []


async def test_a_file_that_comes_back_is_the_same(sink: SqliteSink, path: Path, tmp_path: Path) -> None:
    """If nobody looked meanwhile, nothing has happened."""
    await asking.apply(sink, store())
    before = await sink.health()
    move(path, tmp_path / "moved.db")
    await assert_everything_raises(sink)
    move(tmp_path / "moved.db", path)
    assert await asking.keys(sink) == ["k"]
    assert await sink.health() == before


async def test_an_older_copy_is_known_also_when_the_sink_is_entered_again(
    sink: SqliteSink, path: Path, tmp_path: Path
) -> None:
    """It remembers how far the store had come."""
    await asking.apply(sink, store("a"))
    copied = copy(path, tmp_path / "copy")
    await asking.apply(sink, store("b"))
    before = await sink.health()
    await sink.__aexit__(None, None, None)
    put_back(copied, path, ENDINGS)
    await sink.__aenter__()
    assert (await sink.health()).incarnation != before.incarnation
    assert await asking.keys(sink) == ["a"]


async def test_a_store_that_went_back_in_its_very_file_is_another_one(sink: SqliteSink, path: Path) -> None:
    """As when somebody overwrites the file in place."""
    await asking.apply_each(sink, [store("a"), store("b")])
    before = await sink.health()
    take_back(path)
    after = await sink.health()
    assert (after.incarnation != before.incarnation, after.changes) == (True, before.changes - 1)
    assert await sink.health() == after


async def test_what_can_not_be_opened_is_tried_again(sink: SqliteSink, path: Path) -> None:
    """By each health check; in between everything says that the file is gone."""
    replace_by_text(path)
    for _ in range(2):
        with pytest.raises(SinkMisconfigured, match="not a SQLite database"):
            await sink.health()
        await assert_everything_raises(sink)
    remove(path)
    await sink.health()
    await asking.apply(sink, store())
    assert await asking.keys(sink) == ["k"]


async def test_two_sinks_on_one_file_find_the_same(sink: SqliteSink, path: Path) -> None:
    """One makes it anew, the other opens that; neither takes the other's log away."""
    async with SqliteSink(path) as other:
        await asking.apply(sink, store("before"))
        remove(path)
        first = await sink.health()
        await asking.apply(sink, store("a"))
        second = await other.health()
        assert second.incarnation == first.incarnation
        await asking.apply(other, store("b"))
        assert await asking.keys(sink) == await asking.keys(other) == ["b", "a"]
    async with SqliteSink(path) as third:
        assert await asking.keys(third) == ["b", "a"]


async def test_calls_from_all_sides_while_it_is_found_again(sink: SqliteSink, path: Path) -> None:
    """Each is done or says that the file was lost. What is applied after all is there."""
    applied: set[str] = set()

    async def write(number: int) -> None:
        for n in range(30):
            key = f"{number} {n}"
            with suppress(SinkUnavailable):
                await sink.apply([store(key)], NOW)
                applied.add(key)

    async def read() -> None:
        for n in range(30):
            for call in (sink.fetch([address()], NOW), asking.keys(sink), sink.digests(), sink.versions(n)):
                with suppress(SinkUnavailable):
                    await call

    async def watch() -> None:
        for _ in range(15):
            with suppress(SinkUnavailable):
                await sink.health()

    async def remove_often() -> None:
        for _ in range(5):
            await asyncio.sleep(0.01)
            with suppress(FileNotFoundError):
                remove(path)

    await asyncio.gather(*map(write, range(3)), read(), read(), watch(), watch(), remove_often())
    await sink.health()
    applied.clear()
    await asyncio.gather(*map(write, range(3)), read(), watch())
    assert len(applied) == 90
    assert set(await asking.keys(sink)) == applied
    assert len(await asking.held(sink)) == 90


async def test_a_health_check_that_is_cancelled_leaves_nothing_open(sink: SqliteSink, path: Path) -> None:
    """Whenever it is; the next one goes on."""
    for attempt in range(25):
        remove(path)
        with suppress(TimeoutError):
            async with asyncio.timeout(0.0005 * attempt):
                await sink.health()
        await sink.health()
        await asking.apply(sink, store())
        assert await asking.keys(sink) == ["k"]


async def test_leaving_after_the_file_was_lost(sink: SqliteSink, path: Path) -> None:
    """Closes what is open, and entering again begins anew."""
    await asking.apply(sink, store())
    before = await sink.health()
    remove(path)
    await sink.__aexit__(None, None, None)
    with pytest.raises(SinkUnavailable, match="not open"):
        await sink.health()
    await sink.__aenter__()
    assert (await sink.health()).incarnation != before.incarnation
    assert await asking.held(sink) == []
