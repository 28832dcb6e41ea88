"""Whatever happens to one store: the others bring it level meanwhile, and nothing wrong is said."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis.asyncio import Redis

from memlane.contracts.fingerprint import address_hash
from memlane.storage.conformance.model import Model
from tests.integration.repair.deployment import LONG, STABLE, Deployment
from tests.support.mcp_servers import held
from tests.support.waiting import wait_until

Spoil = Callable[[Deployment], Awaitable[None]]


async def flush_redis(deployment: Deployment) -> None:
    """Redis loses everything."""
    async with Redis.from_url(deployment.sinks.redis_url) as redis:
        await redis.flushall()


async def delete_the_sqlite_file(deployment: Deployment) -> None:
    """With what belongs to it."""
    for path in _files(deployment.sinks.sqlite_path):
        path.unlink()


@pytest.mark.parametrize("spoil", [flush_redis, delete_the_sqlite_file], ids=lambda one: one.__name__)
async def test_a_store_that_is_lost(deployment: Deployment, spoil: Spoil) -> None:
    """It is not asked until the others have filled it; writes and answers go on."""
    await deployment.fill()
    await deployment.delete_some()
    async with deployment.traffic():
        await spoil(deployment)
        sink = "redis" if spoil is flush_redis else "sqlite"
        await deployment.until_rebuilding(sink)
    await deployment.until_level()
    assert deployment.wrong == []


async def test_a_store_that_goes_back_to_an_old_copy(deployment: Deployment, tmp_path: Path) -> None:
    """What was deleted since stays deleted, also in answers."""
    await deployment.fill()
    copy = tmp_path / "copy.db"
    with (
        closing(sqlite3.connect(deployment.sinks.sqlite_path)) as source,
        closing(sqlite3.connect(copy)) as to,
    ):
        source.backup(to)
    await deployment.delete_some()
    async with deployment.traffic():
        for path in _files(deployment.sinks.sqlite_path):
            path.unlink()
        shutil.move(copy, deployment.sinks.sqlite_path)
        await deployment.until_rebuilding("sqlite")
    await deployment.until_level()
    assert deployment.wrong == []


async def test_the_file_of_an_mcp_server_is_deleted(deployment: Deployment) -> None:
    """Everything is brought to it again."""
    await deployment.fill()
    await deployment.delete_some()
    async with deployment.traffic():
        for path in _memories(deployment):
            path.unlink()
    await deployment.until_level()
    await _until_the_server_holds_all(deployment)
    assert deployment.wrong == []


async def test_the_file_of_an_mcp_server_is_edited_by_hand(deployment: Deployment) -> None:
    """A full round finds it, and the server gets what it should hold."""
    await deployment.fill()
    await deployment.delete_some()
    async with deployment.traffic():
        edited = 0
        for path in _memories(deployment):
            lines = [json.loads(line) for line in path.read_text().splitlines()]
            for line in lines[:3]:
                line["observations"] = ["something else"]
                edited += 1
            path.write_text("\n".join(map(json.dumps, lines)))
        assert edited
    await deployment.until_level()
    await deployment.full_round()
    await _until_the_server_holds_all(deployment)
    assert deployment.wrong == []


@pytest.mark.parametrize("change", ["removed", "changed"])
async def test_a_row_of_sqlite_is_changed_behind_our_back(deployment: Deployment, change: str) -> None:
    """A full round finds it, and brings it again."""
    await deployment.fill()
    await deployment.delete_some()
    place = ("s", "default", f"stable {STABLE - 1}")
    statement = "DELETE FROM rows" if change == "removed" else "UPDATE rows SET value = '\"spoilt\"'"
    async with deployment.traffic():
        # In a thread: it waits for the lane's transaction, which goes on in this one.
        where = "WHERE user_id = ? AND namespace = ? AND key = ?"
        assert await asyncio.to_thread(_meddle, deployment, f"{statement} {where}", place) == 1
    await deployment.until_level()
    report = await deployment.full_round()
    assert {one.part for one in report.sinks.values()} == {"source"}, report
    assert (report.sinks["sqlite"].lacked, report.sinks["sqlite"].repaired) == (1, 1)
    await deployment.until_level()
    with closing(sqlite3.connect(deployment.sinks.sqlite_path)) as file:
        (value,) = file.execute("SELECT value FROM rows WHERE user_id = ? AND key = ?", (place[0], place[2]))
    assert value == (str(STABLE - 1),)


@pytest.mark.parametrize("change", ["removed", "changed"])
async def test_a_row_of_redis_is_changed_behind_our_back(deployment: Deployment, change: str) -> None:
    """Likewise."""
    await deployment.fill()
    await deployment.delete_some()
    row = f"{deployment.sinks.redis_prefix}:row:{address_hash('s', 'default', f'stable {STABLE - 1}')}"
    async with deployment.traffic(), Redis.from_url(deployment.sinks.redis_url) as redis:
        if change == "removed":
            assert await redis.delete(row) == 1
        else:
            await redis.hset(row, "value", '"spoilt"')
    await deployment.until_level()
    report = await deployment.full_round()
    assert {one.part for one in report.sinks.values()} == {"source"}, report
    assert (report.sinks["redis"].lacked, report.sinks["redis"].repaired) == (1, 1)
    await deployment.until_level()
    async with Redis.from_url(deployment.sinks.redis_url, decode_responses=True) as redis:
        assert await redis.hget(row, "value") == str(STABLE - 1)


def _meddle(deployment: Deployment, statement: str, values: tuple[str, ...]) -> int:
    """Changes the file behind memlane's back; returns how many rows."""
    with closing(sqlite3.connect(deployment.sinks.sqlite_path, timeout=60)) as file, file:
        return file.execute(statement, values).rowcount


def _files(database: Path) -> list[Path]:
    found = [database, *(database.with_name(f"{database.name}-{part}") for part in ("wal", "shm"))]
    return [path for path in found if path.exists()]


def _memories(deployment: Deployment) -> list[Path]:
    return sorted(deployment.sinks.mcp_dir.glob("memory-*.jsonl"))


async def _until_the_server_holds_all(deployment: Deployment) -> None:
    model = Model(deployment.commands)
    users = {command.user_id for command in deployment.commands}
    wanted = {row.address: row.id for user in users for row in model.live(user, datetime.now(UTC))}

    def holds_all() -> bool:
        try:
            return {place: one.id for place, one in held(deployment.sinks.mcp_dir).items()} == wanted
        except (AssertionError, ValueError):  # what was edited is no entry
            return False

    await wait_until(holds_all, "the server holds all", LONG)
