"""The schedule: one backup each time that one is due, however many workers there are, and none is missed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from memlane.contracts.instants import now
from memlane.contracts.standing import Notice
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink
from memlane.workers.backup.folder import BackupFolder, scheduled_name
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.scheduler import BackupScheduler
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings
from tests.integration.backup.conftest import Deployment
from tests.support.commands import store
from tests.support.waiting import wait_until

EVERY_SECOND = "* * * * * *"
DAILY = "0 2 * * *"
SOON_AGAIN = timedelta(milliseconds=50)
AT_ONCE = timedelta(0)


class Clock:
    """A clock that stands until it is set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        """What it says."""
        return self.at


# Any: the settings' model checks them.
def settings_of(deployment: Deployment, folder: Path, **settings: Any) -> WorkerSettings:
    """Of a worker of the deployment that makes backups."""
    said = {"backup_dir": folder, "backup_schedule": DAILY, "watch_interval": "PT0.05S", **settings}
    return WorkerSettings(
        **{"amqp_url": deployment.system.url, "sinks": deployment.system.settings.sinks, **said}
    )


@asynccontextmanager
async def running(
    settings: WorkerSettings,
    *,
    at: Callable[[], datetime] = now,
    standings: Standings | None = None,
    first_after: timedelta = AT_ONCE,
) -> AsyncIterator[BackupScheduler]:
    """A scheduler, stopped in good order."""
    role = BackupScheduler(
        settings, standings or Standings(), now=at, again=SOON_AGAIN, first_after=first_after
    )
    task = asyncio.create_task(role.run())
    try:
        yield role
    finally:
        role.stop()
        await asyncio.wait_for(task, 10)
    assert role.state.condition == "stopped"


@pytest.fixture
def folder(tmp_path: Path) -> BackupFolder:
    """Of the backups."""
    return BackupFolder(tmp_path / "scheduled")


async def until_there(folder: BackupFolder, *names: str) -> None:
    """Waits until these are the scheduled backups."""
    await wait_until(lambda: folder.names() == sorted(names), f"{names} are there: {folder.names()}")


async def test_a_missed_one_is_made_at_the_start_and_only_once(
    deployment: Deployment, folder: BackupFolder
) -> None:
    """However long it was down: the last one that was due."""
    await deployment.send(store("k", 1))
    settings = settings_of(deployment, folder.path)
    clock = Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))
    name = scheduled_name(datetime(2026, 3, 9, 2, tzinfo=UTC))
    async with running(settings, at=clock):
        await until_there(folder, name)
    made = folder.path_of(name).stat()
    async with running(settings, at=clock) as role:
        await wait_until(lambda: role.state.ready, "it runs again")
    assert folder.path_of(name).stat() == made
    file = BackupFile(folder.path_of(name))
    assert (file.header().due, file.trailer().counts.stores) == (datetime(2026, 3, 9, 2, tzinfo=UTC), 1)


async def test_each_time_is_kept_once_by_all_workers_together(
    deployment: Deployment, folder: BackupFolder
) -> None:
    """Three of them, every second; and only the newest stay."""
    settings = settings_of(deployment, folder.path, backup_schedule=EVERY_SECOND, backup_keep=2)
    other = BackupFolder(folder.path.parent / "other")
    async with AsyncExitStack() as exits:
        # Those that stand by would write somewhere else.
        first = await exits.enter_async_context(running(settings))
        await wait_until(lambda: bool(folder.names()), "the first one works")
        for _ in range(2):
            await exits.enter_async_context(running(settings.model_copy(update={"backup_dir": other.path})))
        seen: set[str] = set()

        def three_more() -> bool:
            seen.update(folder.names())
            return len(seen) >= 4

        await wait_until(three_more, "there are some backups")
        assert len(folder.names()) <= 3
        assert other.names() == []
        first.stop()
        await wait_until(lambda: bool(other.names()), "another one takes over")
    assert all(not one.problem for one in [*folder.all(), *other.all()])


async def test_one_that_cannot_be_made_is_tried_again(
    deployment: Deployment, folder: BackupFolder, durable: FailingSink
) -> None:
    """The role says why; it is not stopped by it, and nothing half is left."""
    durable.fail("stats", error=SinkUnavailable("the disk is gone"))
    clock = Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))
    async with running(settings_of(deployment, folder.path), at=clock) as role:
        await wait_until(lambda: "the disk is gone" in role.state.reason, "it says why")
        assert role.state.ready
        assert folder.names() == []
        durable.heal()
        await until_there(folder, scheduled_name(datetime(2026, 3, 9, 2, tzinfo=UTC)))
        await wait_until(lambda: role.state.reason == "", "all is well")


async def test_a_sink_that_lacks_commands_is_not_backed_up(
    deployment: Deployment, folder: BackupFolder
) -> None:
    """Before it is filled."""
    standings = Standings()
    lacks = Notice(sink="sqlite", event="rebuilding", at=now())
    await standings.note(lacks)
    clock = Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))
    async with running(settings_of(deployment, folder.path), at=clock, standings=standings) as role:
        await wait_until(lambda: "sqlite: it is rebuilding" in role.state.reason, "it says why")
        assert folder.names() == []
        await standings.note(Notice(sink="sqlite", event="level", at=now(), ends=lacks.at))
        await wait_until(lambda: len(folder.names()) == 1, "it is made")


async def test_nothing_is_made_before_it_can_be_known_what_was_wiped(
    deployment: Deployment, folder: BackupFolder
) -> None:
    """The start of a worker leaves that much time; a stop does not wait for it."""
    settings = settings_of(deployment, folder.path)
    clock = Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))
    async with running(settings, at=clock, first_after=timedelta(hours=1)) as role:
        await wait_until(lambda: role.state.ready, "it runs")
        await asyncio.sleep(0.2)
        assert folder.names() == []
    async with running(settings, at=clock, first_after=timedelta(milliseconds=1)):
        await wait_until(lambda: len(folder.names()) == 1, "it is made")


async def test_the_sink_of_the_setting_is_read(deployment: Deployment, folder: BackupFolder) -> None:
    """Durable or not."""
    settings = settings_of(deployment, folder.path, backup_sink="memory")
    async with running(settings, at=Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))):
        await wait_until(lambda: len(folder.names()) == 1, "it is made")
    assert BackupFile(folder.path_of(folder.names()[0])).header().sink == "memory"


async def test_one_that_is_stopped_leaves_nothing(
    deployment: Deployment, folder: BackupFolder, durable: FailingSink
) -> None:
    """What it had in hand is made at the next start."""
    await deployment.send(*[store(f"k{number}") for number in range(50)])
    durable.slow(timedelta(seconds=20), "fetch")
    clock = Clock(datetime(2026, 3, 9, 7, 30, tzinfo=UTC))
    async with running(settings_of(deployment, folder.path), at=clock):
        await wait_until(
            lambda: folder.path.is_dir() and any(folder.path.iterdir()), "it writes under another name"
        )
        assert folder.names() == []
    assert list(folder.path.iterdir()) == []
