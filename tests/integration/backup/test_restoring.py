"""A restore fills gaps: it loses nothing that is newer, and revives nothing that was deleted."""

from datetime import UTC, datetime, timedelta

import pytest

from memlane.client import MemoryClient
from memlane.contracts.command import StoreCommand
from memlane.storage.memory import FailingSink
from memlane.workers.backup.errors import BackupDamaged
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.restoring import checked
from memlane.workers.backup.selection import Selection
from tests.integration.backup.conftest import Deployment, writing
from tests.support.commands import delete, delete_namespace, forget, store


async def test_what_all_sinks_lost_comes_back_as_it_was(
    deployment: Deployment, client: MemoryClient, durable: FailingSink
) -> None:
    """Every row and mark, under its version: the sinks' digests are those of the time of the backup."""
    soon = datetime.now(UTC) + timedelta(days=1)
    created = datetime(2020, 1, 1, tzinfo=UTC)
    rich = StoreCommand.model_validate(
        {
            **store("rich", {"ä": [1, 2.5, None]}).model_dump(by_alias=True, mode="json"),
            "tags": ["b", "a"],
            "importance": 9,
            "session_id": "s",
            "project_id": "p",
            "metadata": {"from": "chat"},
            "created_at": created.isoformat(),
            "expires_at": soon.isoformat(),
        }
    )
    await deployment.send(*[store(f"k{number}", number) for number in range(300)], rich)
    await deployment.send(delete("k1"), delete_namespace("a"), forget("v"), store("old", expires_at=created))
    before = await durable.digests()
    made = await deployment.back_up()
    await deployment.lose_everything()
    sent = await deployment.restore(client, BackupFile(made.path))
    assert await durable.digests() == before
    await deployment.settled()
    entry = await client.get("u", "rich")
    assert entry is not None
    assert (entry.value, entry.tags, entry.created_at) == ({"ä": [1, 2.5, None]}, ("a", "b"), created)
    assert sent.report.decisions == {
        (sink.name, "applied"): made.trailer.counts.total for sink in deployment.sinks
    }


async def test_under_concurrent_writes_and_deletes_all_sinks_end_the_same(
    deployment: Deployment, client: MemoryClient
) -> None:
    """What was written or deleted since the backup, and meanwhile, is what counts in the end."""
    await deployment.send(*[store(f"k{number}", "old", user="w") for number in range(60)])
    made = await deployment.back_up()
    await client.delete("w", "k50", wait="all")
    await client.store("w", "k51", "newer", wait="all")
    await client.delete_namespace("w", "side", wait="all")
    async with writing(client, "w") as count:
        await deployment.restore(client, BackupFile(made.path))
        sent = await deployment.restore(client, BackupFile(made.path))
        assert count[0] > 0
    await deployment.settled()
    values = await deployment.values(client, "w")
    assert "k50" not in values
    assert values["k51"] == "newer"
    assert {name for name, _ in sent.report.decisions} == {"sqlite", "redis", "memory"}
    assert sent.report.decisions["sqlite", "superseded"] >= 2
    # What nobody has touched since is as it was.
    assert values["k45"] == "old"


async def test_only_a_part_is_restored(deployment: Deployment, client: MemoryClient) -> None:
    """Of one user, below one namespace; no mark reaches beyond it."""
    await deployment.send(
        store("here", 1, namespace="a/b"),
        store("beside", 1, namespace="ab"),
        store("other", 1, user="v", namespace="a"),
        delete_namespace("a/gone"),
        delete_namespace("b"),
        forget("w"),
    )
    file = BackupFile((await deployment.back_up()).path)
    backup = checked(file)
    parts = {
        Selection(): 6,
        Selection("u"): 4,
        Selection("u", "a"): 2,
        Selection(None, "a"): 3,
        Selection("w"): 1,
        Selection("w", "a"): 0,
    }
    assert {part: len(list(backup.commands(part))) for part in parts} == parts
    sent = await deployment.restore(client, file, Selection("u", "a"))
    assert sent.kinds == {"stores": 1, "marks": 1}


async def test_a_damaged_backup_is_refused_before_anything_is_sent(deployment: Deployment) -> None:
    """Wherever the damage is."""
    await deployment.send(*[store(f"k{number}", number) for number in range(50)])
    made = await deployment.back_up()
    content = made.path.read_bytes()
    made.path.write_bytes(content[:-40] + bytes(40))
    with pytest.raises(BackupDamaged):
        checked(BackupFile(made.path))
