"""A rollback: what was there is there again, what came since is gone, and what is written later wins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from memlane.client import MemoryClient
from memlane.contracts.instants import now
from memlane.contracts.version import version_instant
from memlane.workers.backup.minting import Minting
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.restoring import Checked, checked
from memlane.workers.backup.rollback import Plan, Planner
from memlane.workers.backup.selection import Selection
from memlane.workers.backup.sending import Sent, send_all
from tests.integration.backup.conftest import Deployment, writing
from tests.support.commands import delete, forget, store, version
from tests.support.sinks import apply
from tests.support.waiting import wait_until

EVERYTHING = Selection()


class Rollback:
    """A rollback of a deployment, step by step.

    Args:
        deployment: that is rolled back.
        backup: to what.
        selection: which part.
        at: the clock.
    """

    def __init__(
        self,
        deployment: Deployment,
        backup: Checked,
        selection: Selection = EVERYTHING,
        at: Callable[[], datetime] = now,
    ) -> None:
        self._deployment = deployment
        self._backup = backup
        self._selection = selection
        self._at = at
        self.begin = version()

    async def begun(self) -> None:
        """Waits until the millisecond is over in which it began: within one, nobody is later."""
        over = version_instant(self.begin) + timedelta(milliseconds=1)
        await wait_until(lambda: now() >= over, "time goes on")

    async def plan(self) -> Plan:
        """Compares."""
        async with self._deployment.source() as source:
            others, silent = await source.answering_others()
            assert silent == []
            sinks = [source.sink, *others]
            planner = Planner(self._backup, self._selection, source.reader, sinks, self.begin, now=self._at)
            return await planner.plan()

    async def carry_out(self, plan: Plan, client: MemoryClient) -> Sent:
        """Sends, and waits until all sinks have decided."""
        sent = Sent()
        await send_all(client, plan.commands(self._backup, Minting(self.begin)), sent, wait="all")
        return sent


async def rolled_back(
    deployment: Deployment, client: MemoryClient, backup: Checked, selection: Selection = EVERYTHING
) -> Plan:
    """Rolls back, all steps."""
    rollback = Rollback(deployment, backup, selection)
    plan = await rollback.plan()
    sent = await rollback.carry_out(plan, client)
    assert {decision for _, decision in sent.report.decisions} <= {"applied"}
    await deployment.settled()
    return plan


async def backup_of(deployment: Deployment) -> Checked:
    """A backup of now."""
    return checked(BackupFile((await deployment.back_up()).path))


async def test_everything_is_as_it_was(deployment: Deployment, client: MemoryClient) -> None:
    """Changed, deleted, forgotten, added: in all sinks; what is unchanged is not touched."""
    await deployment.send(
        store("same", 1), store("changed", 1), store("deleted", 1), store("k", {"a": []}, user="forgotten"),
        delete("never"),
    )  # fmt: skip
    created = await client.get("u", "changed")
    same = await client.get("u", "same")
    backup = await backup_of(deployment)
    await deployment.send(store("changed", 2), delete("deleted"), store("added", 1), forget("forgotten"))
    await deployment.send(store("since", 1, user="new"))
    plan = await rolled_back(deployment, client, backup)
    assert (len(plan.stores), len(plan.deletes), plan.unchanged) == (3, 2, 1)
    assert await deployment.values(client, "u") == {"same": 1, "changed": 1, "deleted": 1}
    assert await deployment.values(client, "forgotten") == {"k": {"a": []}}
    assert await deployment.values(client, "new") == {}
    assert await client.get("u", "same") == same
    again = await client.get("u", "changed")
    assert created is not None
    assert again is not None
    assert again.created_at == created.created_at
    assert again.version > created.version


async def test_writes_that_come_later_win(deployment: Deployment, client: MemoryClient) -> None:
    """Whether they come while it compares, while somebody is asked, or while it sends."""
    await deployment.send(*[store(f"k{number}", "then") for number in range(40)])
    backup = await backup_of(deployment)
    await deployment.send(*[store(f"k{number}", "wrong") for number in range(40)], store("added", 1))
    rollback = Rollback(deployment, backup)
    await rollback.begun()
    await client.store("u", "k1", "while it compares", wait="all")
    plan = await rollback.plan()
    assert plan.newer == 1
    await client.store("u", "k2", "while it asks", wait="all")
    await client.delete("u", "k3", wait="all")
    await client.store("u", "added", "again", wait="all")
    await rollback.carry_out(plan, client)
    await deployment.settled()
    values = await deployment.values(client, "u")
    assert (values["k1"], values["k2"], values["added"]) == ("while it compares", "while it asks", "again")
    assert "k3" not in values
    assert {value for key, value in values.items() if key not in {"k1", "k2", "added"}} == {"then"}


async def test_all_sinks_end_the_same_while_others_go_on_writing(
    deployment: Deployment, client: MemoryClient
) -> None:
    """And what they do not touch is as it was."""
    await deployment.send(*[store(f"k{number}", "then", user="w") for number in range(40)])
    await deployment.send(*[store(f"k{number}", "then") for number in range(40)])
    backup = await backup_of(deployment)
    await deployment.send(*[store(f"k{number}", "wrong") for number in range(60)])
    async with writing(client, "w") as count:
        rollback = Rollback(deployment, backup)
        await rollback.carry_out(await rollback.plan(), client)
        assert count[0] > 0
    await deployment.settled()
    assert await deployment.values(client, "u") == {f"k{number}": "then" for number in range(40)}


async def test_only_a_part_is_rolled_back(deployment: Deployment, client: MemoryClient) -> None:
    """Everything else stays, also where it came since."""
    await deployment.send(
        store("k", 1, namespace="a/b"), store("k", 1, namespace="ab"), store("k", 1, user="v")
    )
    backup = await backup_of(deployment)
    changed = [store("k", 2, namespace="a/b"), store("k", 2, namespace="ab"), store("k", 2, user="v")]
    await deployment.send(*changed, store("new", 1, namespace="a"), store("new", 1))
    plan = await rolled_back(deployment, client, backup, Selection("u", "a"))
    assert (len(plan.stores), len(plan.deletes)) == (1, 1)
    found = {(entry.namespace, entry.key): entry.value async for entry in client.iterate("u")}
    assert found == {("a/b", "k"): 1, ("ab", "k"): 2, ("default", "new"): 1}
    assert await deployment.values(client, "v") == {"k": 2}


async def test_what_has_expired_is_not_revived(deployment: Deployment, client: MemoryClient) -> None:
    """It would be gone by now; what took its place came since, and goes."""
    soon = datetime.now(UTC) + timedelta(seconds=30)
    await deployment.send(store("gone", 1, expires_at=soon), store("prolonged", 1, expires_at=soon))
    backup = await backup_of(deployment)
    await deployment.send(delete("gone"), store("prolonged", 2))
    rollback = Rollback(deployment, backup, at=lambda: now() + timedelta(minutes=1))
    plan = await rollback.plan()
    assert (plan.expired, len(plan.stores), len(plan.deletes)) == (2, 0, 1)
    await rollback.carry_out(plan, client)
    await deployment.settled()
    assert await deployment.values(client, "u") == {}


async def test_a_clock_that_runs_ahead_is_overtaken(deployment: Deployment, client: MemoryClient) -> None:
    """What it wrote before the rollback does not count as written later: neither entries nor forgetting."""
    ahead = timedelta(minutes=3)
    await deployment.send(store("k", "then"), store("k2", "then"), store("k", "then", user="v"))
    backup = await backup_of(deployment)
    mark = forget("v").model_copy(update={"id": store(ahead=ahead).id})
    await deployment.send(
        store("k", "wrong", ahead=ahead), delete("k2", ahead=ahead), store("new", ahead=ahead)
    )
    await deployment.send(mark)
    plan = await rolled_back(deployment, client, backup)
    assert (len(plan.stores), len(plan.deletes), plan.newer) == (3, 1, 0)
    assert await deployment.values(client, "u") == {"k": "then", "k2": "then"}
    assert await deployment.values(client, "v") == {"k": "then"}


async def test_what_only_one_sink_holds_is_found(deployment: Deployment, client: MemoryClient) -> None:
    """Sinks may differ: an entry that came since goes, wherever it is."""
    await deployment.send(store("k", 1))
    backup = await backup_of(deployment)
    only = store("only there")
    for sink in deployment.sinks[1:]:
        await apply(sink, only)
    plan = await rolled_back(deployment, client, backup)
    assert len(plan.deletes) == 1
    assert await deployment.values(client, "u") == {"k": 1}
