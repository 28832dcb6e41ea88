"""What is left of an expired store, as a repair or a restore brings it: a version without its content."""

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import command_hash, digest_of
from memlane.contracts.reply import DigestModel
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    expired,
    forget,
    moment,
    store,
    version,
)
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.rows import Kind, Trace
from memlane.storage.sink import Sink


class ExpiredStores:
    """It is compared with what is there like the store that it was."""

    async def test_it_leaves_an_expired_row_under_the_stores_hash(self, sink: Sink) -> None:
        """As a sink has it that had the store, and swept it."""
        command = store(at=1, expires_at=moment(100))
        await asking.apply(sink, command, now=moment(50))
        await asking.sweep(sink, moment(150))
        (swept,) = await asking.held(sink)
        other = store(at=1, user="told", expires_at=moment(100))
        assert await asking.apply(sink, expired(other), now=moment(150)) == [APPLIED]
        told = next(trace for trace in await asking.held(sink) if trace != swept)
        assert swept == Trace(command.address, command.id, command_hash(command), Kind.EXPIRED, intact=True)
        assert told == Trace(other.address, other.id, command_hash(other), Kind.EXPIRED, intact=True)
        whole = digest_of([command_hash(other)])
        stats = await sink.stats("told")
        assert stats.digest == DigestModel(count=whole.count, sum=whole.sum)
        assert (stats.live, stats.expired) == (0, 1)
        assert await asking.state(sink, other.address) == ("gone", version(1))

    async def test_the_store_itself_is_the_same(self, sink: Sink) -> None:
        """Before it or after it, when its time has come: counted once, and nothing comes back."""
        first, second = store("a", expires_at=moment(100)), store("b", expires_at=moment(100))
        commands: list[AnyCommand] = [expired(first), first, second, expired(second), expired(first)]
        assert await asking.apply_each(sink, commands, now=moment(150)) == [APPLIED] * 5
        assert (await sink.stats("u")).expired == 2
        assert await asking.keys(sink, as_of=moment(50)) == []

    async def test_an_older_entry_goes(self, sink: Sink) -> None:
        """From every question, with its content."""
        await asking.apply(sink, store(value="wine", at=1), store("other", "wine", at=1))
        assert await asking.apply(sink, expired(store(value="newer", at=2))) == [APPLIED]
        assert await asking.state(sink, address()) == ("gone", version(2))
        assert await asking.keys(sink) == ["other"]
        assert await asking.search(sink, "wine") == ["other"]
        stats = await sink.stats("u")
        assert (stats.live, stats.expired) == (1, 1)

    async def test_at_a_live_row_of_the_same_store_it_changes_nothing(self, sink: Sink) -> None:
        """Its time comes here as well: that is the sweeper's to say."""
        command = store(value="wine", expires_at=moment(1e6))
        await asking.apply(sink, command)
        changes = (await sink.stats(None)).changes
        assert await asking.apply(sink, expired(command)) == [APPLIED]
        assert (await sink.stats(None)).changes == changes
        assert await asking.value(sink, address()) == "wine"
        assert await asking.search(sink, "wine") == ["k"]

    async def test_what_is_newer_wins(self, sink: Sink) -> None:
        """Whichever comes first, a store and a delete."""
        newer: list[AnyCommand] = [store("a", "newer", at=3), delete("b", at=3)]
        older = [expired(store(key, at=2)) for key in "ab"]
        await asking.apply(sink, *newer)
        assert await asking.apply(sink, *older) == [Outcome("superseded", newer=version(3))] * 2
        assert await asking.value(sink, address("a")) == "newer"
        await asking.apply(sink, *(expired(store(key, at=2, user="v")) for key in "ab"))
        assert (
            await asking.apply(sink, store("a", at=3, user="v"), delete("b", at=3, user="v")) == [APPLIED] * 2
        )
        assert await asking.keys(sink, "v") == ["a"]
        stats = await sink.stats("v")
        assert (stats.live, stats.deleted, stats.expired) == (1, 1, 0)

    async def test_what_is_older_does_not_come_back(self, sink: Sink) -> None:
        """As behind a delete."""
        await asking.apply(sink, expired(store(at=2)))
        assert await asking.apply(sink, store(at=1)) == [Outcome("superseded", newer=version(2))]
        assert await asking.keys(sink) == []

    async def test_equal_versions_resolve_to_the_higher_hash(self, sink: Sink) -> None:
        """As everywhere: two contents under one version."""
        low, high = sorted((store(value="x"), store(value="y")), key=command_hash)
        await asking.apply(sink, low)
        assert await asking.apply(sink, expired(high)) == [APPLIED]
        assert await asking.state(sink, address()) == ("gone", version(1))
        low, high = sorted((store(value="x", user="v"), store(value="y", user="v")), key=command_hash)
        await asking.apply(sink, high)
        assert await asking.apply(sink, expired(low)) == [Outcome("superseded", newer=version(1))]
        assert await asking.value(sink, high.address) == high.value

    async def test_under_a_mark_it_is_superseded(self, sink: Sink) -> None:
        """And goes with a newer one; behind a mark it stays."""
        commands = [expired(store(at=at, namespace="a/b")) for at in (1, 3)]
        await asking.apply(sink, delete_namespace("a", at=2))
        assert await asking.apply_each(sink, commands) == [Outcome("superseded", newer=version(2)), APPLIED]
        assert (await sink.stats("u")).expired == 1
        await asking.apply(sink, forget(at=4))
        await asking.sweep(sink)
        stats = await sink.stats("u")
        assert (stats.expired, stats.marks) == (0, 1)

    async def test_in_one_batch_with_others(self, sink: Sink) -> None:
        """As if they had come one by one."""
        commands: list[AnyCommand] = [
            store(value="old", at=1),
            expired(store(at=2)),
            store(value="new", at=3),
        ]
        outcomes = await asking.apply(sink, *commands, now=NOW)
        assert outcomes == [APPLIED] * 3
        assert await asking.value(sink, address()) == "new"
