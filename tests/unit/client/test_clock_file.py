"""A producer's clock goes on where it stopped, whatever happens to its file."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.contracts.clock import HybridClock
from memlane.producers.client.clock_file import ClockFile
from tests.support.commands import version


async def test_versions_rise_over_restarts(tmp_path: Path) -> None:
    """Also where the machine's time was set back in between."""
    file = ClockFile(tmp_path / "state" / "clock")
    clock = file.load()
    clock.observe(version(timedelta(minutes=3)))
    last = clock.next()
    await file.save(clock)
    assert ClockFile(tmp_path / "state" / "clock").load().next() > last


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"\xff\xfe", b"x" * 10_000, b"01890a5d-ac96-474b-bcce-b302099a8057"]
)
async def test_what_is_no_version_is_none(tmp_path: Path, content: bytes) -> None:
    """A damaged file costs nothing but the promise over this one restart."""
    path = tmp_path / "clock"
    path.write_bytes(content)
    file = ClockFile(path)
    clock = file.load()
    made = clock.next()
    await file.save(clock)
    assert path.read_text() == made


async def test_a_clock_that_ran_wild_is_not_gone_on_with(tmp_path: Path) -> None:
    """A file from next year does not make all versions ones of next year."""
    path = tmp_path / "clock"
    path.write_text(version(timedelta(days=365)))
    assert ClockFile(path).load().next() < version(timedelta(minutes=1))


async def test_the_newest_of_several_processes_stays(tmp_path: Path) -> None:
    """An older clock does not put it back."""
    path = tmp_path / "clock"
    ahead = HybridClock(last=version(timedelta(minutes=2)))
    await ClockFile(path).save(ahead)
    behind = HybridClock()
    behind.next()
    await ClockFile(path).save(behind)
    assert path.read_text() == ahead.last


def test_many_clients_of_one_process_share_a_file(tmp_path: Path) -> None:
    """In threads of their own, all at the same time."""
    path = tmp_path / "clock"

    async def use() -> None:
        file = ClockFile(path)
        clock = file.load()
        for _ in range(20):
            clock.next()
            await file.save(clock)
        assert not file._failed

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: asyncio.run(use()), range(16)))
    assert [entry.name for entry in tmp_path.iterdir()] == ["clock"]


async def test_a_place_that_can_not_be_written_is_done_without(tmp_path: Path) -> None:
    """It is said once; the client works."""
    (tmp_path / "file").touch()
    file = ClockFile(tmp_path / "file" / "clock")
    clock = file.load()
    clock.next()
    await file.save(clock)
    await file.save(clock)
    assert file._failed


async def test_no_place_keeps_nothing() -> None:
    """A clock of this process only."""
    file = ClockFile(None)
    clock = file.load()
    clock.next()
    await file.save(clock)
