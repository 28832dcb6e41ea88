"""Pruning deletes what it has seen, and nothing that was written since."""

from datetime import timedelta

from memlane.client import MemoryClient
from memlane.contracts.instants import now
from memlane.workers.backup.selection import Selection
from memlane.workers.backup.sending import Sent, send_all
from memlane.workers.pruning import old_entries
from tests.integration.backup.conftest import Deployment
from tests.support.commands import delete, store

AGE = timedelta(days=90)


async def test_an_update_between_looking_and_deleting_survives(
    deployment: Deployment, client: MemoryClient
) -> None:
    """In all sinks; and so does one that comes late, of a clock that runs behind."""
    old = [store(f"k{number}", "old", ahead=-2 * AGE) for number in range(20)]
    late = store("k3", "late", ahead=-AGE / 2)
    await deployment.send(*old, store("young"))
    async with deployment.source() as source:
        found = await old_entries(source, Selection(), now() - AGE)
    assert set(found.versions) == {one.address for one in old}
    await client.store("u", "k1", "updated", wait="all")
    await deployment.send(delete("k2"))
    sent = Sent()
    await send_all(client, found.deletes(), sent, wait="all")
    await deployment.send(late)
    await deployment.settled()
    assert sent.report.sent == 20
    assert await deployment.values(client, "u") == {"k1": "updated", "k3": "late", "young": "a value"}
