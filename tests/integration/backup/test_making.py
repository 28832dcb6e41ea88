"""A backup holds all that a sink holds, whatever goes on meanwhile; or there is none."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from memlane.client import MemoryClient
from memlane.contracts.address import Address
from memlane.contracts.command import AddressCommand, AnyCommand, StoreCommand
from memlane.contracts.fingerprint import BUCKETS, command_hash, digest_of
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink
from memlane.storage.sqlite import SqliteSink
from memlane.storage.sqlite.sink import PURGE_AT_ONCE
from memlane.workers.backup.errors import BackupExists, NoSinkToRead
from memlane.workers.backup.format import Counts, Unread
from memlane.workers.backup.reading import BackupFile
from tests.integration.backup.conftest import NAME, Deployment, writing
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.sinks import apply


def commands_of(file: BackupFile) -> list[AnyCommand]:
    """What stands in a backup; fails where something could not be read."""
    found = []
    for record in file.records():
        assert not isinstance(record, Unread), record
        found.append(record)
    return found


async def test_it_holds_every_row_and_mark(deployment: Deployment, sqlite: SqliteSink) -> None:
    """Entries, tombstones, expired rows and marks: together they have the sink's digest."""
    expired = store("expired", expires_at=datetime.now(UTC) - timedelta(hours=1))
    await deployment.send(*[store(f"k{number}", {"n": [number]}) for number in range(700 // 2)])
    await deployment.send(expired, delete("k1"), delete_namespace("a/b"), forget("other"))
    made = await deployment.back_up()
    assert made.trailer.counts == Counts(stores=349, deletes=1, marks=2, expired=1)
    assert (made.header.sink, made.header.name) == ("sqlite", NAME)
    file = BackupFile(made.path)
    digest = digest_of(command_hash(command) for command in commands_of(file))
    stats = (await sqlite.stats(None)).digest
    assert (digest.count, digest.sum) == (stats.count, stats.sum)
    assert made.header.incarnation == (await sqlite.health()).incarnation


async def test_each_entry_is_whole_while_writes_go_on(deployment: Deployment, client: MemoryClient) -> None:
    """What was there all the time is in it; what changes all the time is in it as it was once."""
    still = [store(f"still{number}", {"n": number}, user="still") for number in range(300)]
    await deployment.send(*still)
    await client.store("busy", "always there", 0, wait="all")
    async with writing(client, "busy") as count:
        rewriting = asyncio.create_task(rewrite(client))
        try:
            made = [await deployment.back_up(f"{NAME}-{number}") for number in range(3)]
        finally:
            rewriting.cancel()
            await asyncio.gather(rewriting, return_exceptions=True)
        assert count[0] > 20
    for one in made:
        found = commands_of(BackupFile(one.path))
        places = [command.address for command in found if isinstance(command, AddressCommand)]
        assert len(places) == len(set(places))
        assert {command.id for command in still} <= {command.id for command in found}
        assert Address("busy", "default", "always there") in places
    await deployment.settled()


async def rewrite(client: MemoryClient) -> None:
    """Stores at one address many times a second: not so fast that no read of it could come between."""
    number = 0
    while True:
        number += 1
        await client.store("busy", "always there", number)
        await asyncio.sleep(0.01)


async def test_what_a_mark_covers_is_not_in_it(deployment: Deployment, durable: FailingSink) -> None:
    """Also where the rows are still about to go: deleted content is in no backup."""
    many = [store(f"k{number}") for number in range(3 * PURGE_AT_ONCE)]
    mark = forget()
    await apply(durable, *many)
    await apply(durable, mark)
    assert len([trace for bucket in range(BUCKETS) for trace in await durable.versions(bucket)]) > 1
    made = await deployment.back_up()
    assert made.trailer.counts == Counts(marks=1)


async def test_what_the_sink_has_no_content_of_comes_from_another(
    deployment: Deployment, sqlite: SqliteSink
) -> None:
    """Of a row that was damaged behind its back, say; where nobody has it, the backup says so."""
    good, lost = store("good"), store("lost")
    await deployment.send(good, lost)
    async with sqlite._write() as writer:
        await writer.execute("UPDATE rows SET value = '1'")
    for sink in deployment.sinks[1:]:
        await apply(sink, delete("lost"))
    made = await deployment.back_up()
    assert made.trailer.counts == Counts(stores=1, unread=1)
    found = {type(record): record for record in BackupFile(made.path).records()}
    unread, kept = found[Unread], found[StoreCommand]
    assert (unread.id, kept.id) == (lost.id, good.id)
    assert isinstance(kept, StoreCommand)
    assert command_hash(kept) == command_hash(good)


async def test_nothing_is_left_where_the_sink_fails(deployment: Deployment, durable: FailingSink) -> None:
    """Not even half a backup."""
    await deployment.send(*[store(f"k{number}") for number in range(400)])
    durable.fail("fetch", error=SinkUnavailable("the disk is gone"), times=None)
    with pytest.raises(SinkUnavailable, match="the disk is gone"):
        await deployment.back_up()
    durable.heal()
    assert list(deployment.backups.path.iterdir()) == []
    await deployment.back_up()


async def test_a_name_is_used_once(deployment: Deployment) -> None:
    """A point to roll back to is not replaced by chance."""
    await deployment.back_up()
    with pytest.raises(BackupExists):
        await deployment.back_up()


async def test_a_cache_is_read_only_when_it_is_named(deployment: Deployment) -> None:
    """By default the first durable sink is read."""
    async with deployment.source() as source:
        assert (source.sink, list(source.others)) == ("sqlite", ["redis", "memory"])
    async with deployment.source("redis") as source:
        assert (source.sink, list(source.others)) == ("redis", ["sqlite", "memory"])
    with pytest.raises(NoSinkToRead, match="there are: sqlite, redis, memory"):
        async with deployment.source("postgres"):
            pytest.fail("there is none")


async def test_without_a_durable_sink_that_answers_there_is_no_backup(
    deployment: Deployment, durable: FailingSink
) -> None:
    """And the error says how each sink is."""
    durable.fail("stats", error=SinkUnavailable("the disk is gone"))
    with pytest.raises(NoSinkToRead, match="sqlite: the disk is gone; redis: it is not durable"):
        async with deployment.source():
            pytest.fail("there is none")
