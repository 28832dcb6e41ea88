"""Convergence: whatever the order, the batches and the repetitions, all sinks end up holding the same."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta

from memlane.contracts.address import Address
from memlane.contracts.command import AddressCommand, AnyCommand, DeleteNamespace, DeleteUser
from memlane.contracts.fingerprint import (
    Digest,
    address_hash,
    bucket_of,
    command_hash,
    digest_of,
    entry_hash,
)
from memlane.contracts.query import ListQuestion
from memlane.contracts.reply import DigestModel
from memlane.storage.conformance import asking
from memlane.storage.conformance.model import Model, scope_of
from memlane.storage.conformance.plans import START, Plan, of_users
from memlane.storage.rows import Kind, Scope
from memlane.storage.sink import Sink


async def check_convergence(sinks: Sequence[Sink], plan: Plan, *, users: str = "") -> None:
    """Delivers a plan's commands to sinks, to each in its own way, and compares all of them to the model.

    Args:
        sinks: open; they may hold other users' entries.
        plan: with a schedule for each of the sinks.
        users: put in front of every user of the plan, so that the sinks can be used again.
    """
    commands = of_users(plan.commands, users)
    replicas = [Replica(sink, commands) for sink in sinks]
    for replica, schedule in zip(replicas, plan.schedules, strict=True):
        await replica.start()
        for step in schedule:
            await replica.deliver(commands[index] for index in step.deliver)
            replica.now += timedelta(seconds=step.wait)
            await replica.check_reads()
            if step.sweep is not None:
                await replica.sink.sweep(replica.now, limit=step.sweep)
                await replica.check_reads()
    end = max(replica.now for replica in replicas)
    for replica in replicas:
        replica.now = end
        await replica.finish()


class Replica:
    """One sink, and what was delivered to it.

    Args:
        sink: open.
        commands: all that may be delivered, by reference: it may grow.
    """

    def __init__(self, sink: Sink, commands: Sequence[AnyCommand]) -> None:
        self.sink = sink
        self.now = START
        self._commands = commands
        self._delivered: list[AnyCommand] = []
        self._before: list[Digest] = []

    async def start(self) -> None:
        """Takes down what the sink held before."""
        await asking.sweep(self.sink, START)
        self._before = await self.sink.digests()

    async def deliver(self, commands: Iterable[AnyCommand]) -> None:
        """One batch, in this order, possibly with duplicates."""
        batch = list(commands)
        if batch:
            outcomes = await self.sink.apply(batch, self.now)
            self._delivered += batch
            for command, outcome in zip(batch, outcomes, strict=True):
                assert outcome.decision in {"applied", "superseded"}, f"{self.sink.name} refused {command}"
                assert (outcome.newer or command.id) >= command.id

    async def check_reads(self) -> None:
        """Every read shows exactly what the commands that were delivered come to, swept or not."""
        model = Model(self._delivered)
        addresses = self._addresses()
        fetched = await self.sink.fetch(addresses, self.now)
        for address, found in zip(addresses, fetched, strict=True):
            context = f"{self.sink.name} at {address} as of {self.now}"
            assert (found.state, found.version) == model.state(address, self.now), context
            if found.entry is not None:
                assert entry_hash(found.entry) == command_hash(model.rows[address]), context
        for user_id in self._users():
            question = ListQuestion(user_id=user_id, limit=500)
            hits = (await self.sink.find(question, self.now)).hits
            expected = [command_hash(command) for command in model.live(user_id, self.now)]
            assert [entry_hash(hit.entry) for hit in hits] == expected, f"{self.sink.name}: list of {user_id}"

    async def finish(self) -> None:
        """Delivers what is still to come, sweeps, and compares everything that is kept."""
        missing = [command for command in self._commands if command not in self._delivered]
        await self.deliver(missing)
        await asking.sweep(self.sink, self.now)
        await self.check_reads()
        model = Model(self._commands)
        await self._check_digests(model)
        await self._check_versions(model)
        for user_id in self._users():
            await self._check_stats(model, user_id)

    async def _check_digests(self, model: Model) -> None:
        expected: dict[int, Digest] = {}
        for place, _, hash_ in model.kept():
            bucket = _bucket(place)
            expected[bucket] = expected.get(bucket, Digest()).plus(digest_of([hash_]))
        pairs = zip(await self.sink.digests(), self._before, strict=True)
        changed = {bucket: now.minus(then) for bucket, (now, then) in enumerate(pairs) if now != then}
        assert changed == expected, f"{self.sink.name}: bucket digests"

    async def _check_versions(self, model: Model) -> None:
        scopes = [scope_of(c) for c in self._commands if isinstance(c, DeleteNamespace | DeleteUser)]
        places: list[Address | Scope] = [*self._addresses(), *scopes]
        users = self._users()
        traces = [
            trace
            for bucket in {_bucket(place) for place in places}
            for trace in await self.sink.versions(bucket)
            if trace.place.user_id in users
        ]
        assert all(trace.intact for trace in traces)
        found = Counter((trace.place, trace.version, trace.hash) for trace in traces)
        assert found == Counter(model.kept()), f"{self.sink.name}: versions"

    async def _check_stats(self, model: Model, user_id: str) -> None:
        stats = await self.sink.stats(user_id)
        kinds = Counter(model.kind(row, self.now) for row in model.rows.values() if row.user_id == user_id)
        marks = sum(mark.user_id == user_id for mark in model.marks.values())
        found = (stats.live, stats.deleted, stats.expired, stats.refused, stats.marks)
        expected = (kinds[Kind.LIVE], kinds[Kind.DELETED], kinds[Kind.EXPIRED], 0, marks)
        assert found == expected, f"{self.sink.name}: stats of {user_id}"
        digest = digest_of(hash_ for place, _, hash_ in model.kept() if place.user_id == user_id)
        assert stats.digest == DigestModel(count=digest.count, sum=digest.sum)

    def _users(self) -> list[str]:
        return sorted({command.user_id for command in self._commands})

    def _addresses(self) -> list[Address]:
        found = {c.address for c in self._commands if isinstance(c, AddressCommand)}
        return sorted(found | {address._replace(key="never stored") for address in found})


def _bucket(place: Address | Scope) -> int:
    user_id, namespace, *key = place
    return bucket_of(address_hash(user_id, namespace or "", *key))
