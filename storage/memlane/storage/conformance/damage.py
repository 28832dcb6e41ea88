"""For sinks whose store a test can damage behind their back: the damage is seen, and mended."""

from abc import abstractmethod

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.fingerprint import BUCKETS, address_hash, bucket_of, command_hash, digest_of
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    forget,
    moment,
    store,
    version,
)
from memlane.storage.damage import NO_HASH, OLDEST
from memlane.storage.outcome import APPLIED, Outcome, SweepReport
from memlane.storage.rows import Trace
from memlane.storage.sink import Sink


class _Damaging:
    @abstractmethod
    async def spoil_digest(self, sink: Sink, bucket: int) -> None:
        """Makes the digest of a bucket wrong."""

    @abstractmethod
    async def spoil_content(self, sink: Sink, place: Address) -> None:
        """Changes the content of a live row, and leaves its version and hash."""

    @abstractmethod
    async def spoil_hash(self, sink: Sink, place: Address, hash_: str) -> None:
        """Changes the hash of a row, and leaves its version and content."""

    @abstractmethod
    async def remove_row(self, sink: Sink, place: Address) -> None:
        """Removes a row with all that it holds, but no count of it."""

    async def recount(self, sink: Sink, place: Address | None = None) -> SweepReport:
        """Recounts the bucket of a place."""
        return await sink.sweep(NOW, recount=_bucket(place or address()))


class _WrongDigests(_Damaging):
    async def test_a_recount_sets_a_wrong_digest_right(self, sink: Sink) -> None:
        """Once; after that there is nothing to correct."""
        await asking.apply(sink, store(), store("other"), delete("deleted", at=2))
        before, bucket = await sink.digests(), _bucket(address())
        await self.spoil_digest(sink, bucket)
        assert (await sink.digests())[bucket] != before[bucket]
        assert await sink.sweep(NOW, recount=bucket) == SweepReport(corrected=True)
        assert await sink.digests() == before
        assert await sink.sweep(NOW, recount=bucket) == SweepReport()
        assert len(await asking.held(sink)) == 3

    async def test_a_recount_of_another_bucket_does_not_touch_it(self, sink: Sink) -> None:
        """One bucket an interval: each in its turn."""
        await asking.apply(sink, store())
        bucket = _bucket(address())
        await self.spoil_digest(sink, bucket)
        wrong = (await sink.digests())[bucket]
        await sink.sweep(NOW, recount=(bucket + 1) % BUCKETS)
        assert (await sink.digests())[bucket] == wrong
        assert (await sink.sweep(NOW, recount=bucket)).corrected


class _RemovedRows(_Damaging):
    async def test_a_removed_row_is_nowhere(self, sink: Sink) -> None:
        """No page fails at what is left of it, before the recount or after it."""
        await asking.apply(sink, *_wines())
        await self.remove_row(sink, address("b"))
        for _ in range(2):
            assert await asking.state(sink, address("b")) == ("unknown", None)
            assert await asking.keys(sink) == ["c", "a"]
            assert set(await asking.search(sink, "wine")) == {"a", "c"}
            assert [one.key for one in await asking.walk(sink, limit=1)] == ["c", "a"]
            await sink.sweep(moment(2e6), recount=_bucket(address("b")))

    async def test_a_removed_row_is_counted_out(self, sink: Sink) -> None:
        """In its bucket, of its user, and in all: what is left is what another sink is compared with."""
        commands = _wines()
        await asking.apply(sink, *commands)
        await self.remove_row(sink, address("b"))
        assert await sink.sweep(NOW, recount=_bucket(address("b"))) == SweepReport(corrected=True)
        left = digest_of(command_hash(one) for one in commands if one.address != address("b"))
        for user in (None, "u"):
            stats = await sink.stats(user)
            assert (stats.digest.count, stats.digest.sum, stats.live) == (left.count, left.sum, 2)
        assert await sink.sweep(NOW, recount=_bucket(address("b"))) == SweepReport()

    async def test_a_removed_row_comes_back_whole(self, sink: Sink) -> None:
        """By the same command, before the recount or after it: it is listed, found, and counted once."""
        commands = _wines()
        await asking.apply(sink, *commands)
        before = await sink.digests()
        for first in (True, False):
            await self.remove_row(sink, address("b"))
            if first:
                await sink.sweep(NOW, recount=_bucket(address("b")))
            assert await asking.apply(sink, commands[1]) == [APPLIED]
            await sink.sweep(NOW, recount=_bucket(address("b")))
            assert await sink.digests() == before
            assert (await asking.entry(sink, address("b"))).value == "red wine"
            assert await asking.keys(sink) == ["c", "b", "a"]
            assert set(await asking.search(sink, "wine")) == {"a", "b", "c"}

    async def test_a_newer_one_takes_the_place_of_a_removed_row(self, sink: Sink) -> None:
        """And what the removed one was found by finds nothing."""
        await asking.apply(sink, *_wines())
        await self.remove_row(sink, address("b"))
        await asking.apply(sink, store("b", "beer", at=5))
        await sink.sweep(NOW, recount=_bucket(address("b")))
        assert await asking.keys(sink) == ["b", "c", "a"]
        assert await asking.search(sink, "red") == []
        assert await asking.search(sink, "beer") == ["b"]

    async def test_a_user_whose_row_was_removed_is_forgotten_like_others(self, sink: Sink) -> None:
        """Nothing fails, and nothing is left but the mark."""
        await asking.apply(sink, *_wines())
        await self.remove_row(sink, address("b"))
        mark = forget(at=5)
        await asking.apply(sink, mark)
        await asking.sweep(sink)
        await sink.sweep(NOW, recount=_bucket(address("b")))
        assert [(one.version, one.hash) for one in await asking.held(sink)] == [(mark.id, command_hash(mark))]


class _DamagedRows(_Damaging):
    async def test_content_that_does_not_give_its_hash_is_not_intact(self, sink: Sink) -> None:
        """So that the reconciler does not take it for a source, and has it repaired."""
        await asking.apply(sink, store(), store("other"))
        await self.spoil_content(sink, address())
        intact = {trace.place: trace.intact for trace in await asking.held(sink)}
        assert intact == {address(): False, address("other"): True}

    async def test_a_recount_demotes_a_damaged_row(self, sink: Sink) -> None:
        """It becomes the oldest there can be, in the same step as its digests; no other row does."""
        other = store("other")
        await asking.apply(sink, store(), other, delete("deleted", at=2))
        await self.spoil_content(sink, address())
        assert await self.recount(sink) == SweepReport(damaged=1)
        trace = await _trace(sink, address())
        assert (trace.version, trace.hash, trace.intact) == (OLDEST, NO_HASH, False)
        assert (await _trace(sink, address("other"))).version == other.id
        stats = await sink.stats("u")
        assert (stats.live, stats.deleted, stats.refused) == (2, 1, 0)

    async def test_a_row_is_demoted_once(self, sink: Sink) -> None:
        """It goes on to count as damaged; nothing changes by that."""
        await asking.apply(sink, store())
        await self.spoil_content(sink, address())
        changes = (await sink.stats(None)).changes
        assert await self.recount(sink) == SweepReport(damaged=1)
        digests = await sink.digests()
        for _ in range(2):
            assert (await sink.stats(None)).changes == changes + 1
            assert await self.recount(sink) == SweepReport(damaged=1)
            assert await sink.digests() == digests

    async def test_a_demoted_row_is_still_listed(self, sink: Sink) -> None:
        """As the oldest, once, by all that find rows: it may be the only copy there is."""
        await asking.apply(sink, *_wines())
        await self.spoil_content(sink, address("b"))
        assert await self.recount(sink, address("b")) == SweepReport(damaged=1)
        assert await asking.keys(sink) == ["c", "a", "b"]
        assert [one.key for one in await asking.walk(sink, limit=1, order="oldest")] == ["b", "a", "c"]
        assert len(await asking.search(sink, "wine")) in {2, 3}

    async def test_the_same_command_again_mends_it(self, sink: Sink) -> None:
        """Content, digests and counts are as they were, and every question finds it."""
        commands = _wines()
        await asking.apply(sink, *commands)
        before, digests = await sink.stats("u"), await sink.digests()
        await self.spoil_content(sink, address("b"))
        await self.recount(sink, address("b"))
        assert await asking.apply(sink, commands[1]) == [APPLIED]
        assert (await asking.entry(sink, address("b"))).value == "red wine"
        assert await asking.keys(sink) == ["c", "b", "a"]
        assert set(await asking.search(sink, "wine")) == {"a", "b", "c"}
        assert await asking.search(sink, "red") == ["b"]
        after = await sink.stats("u")
        assert (after.live, after.digest, await sink.digests()) == (before.live, before.digest, digests)
        assert all(trace.intact for trace in await asking.held(sink))
        assert await self.recount(sink, address("b")) == SweepReport()

    async def test_an_older_store_or_delete_takes_its_place_too(self, sink: Sink) -> None:
        """What can be trusted wins over what can't."""
        await asking.apply(sink, store("k", at=3), store("l", at=3))
        for key in ("k", "l"):
            await self.spoil_content(sink, address(key))
            await self.recount(sink, address(key))
        assert await asking.apply(sink, store("k", "older", at=1), delete("l", at=1)) == [APPLIED] * 2
        assert await asking.value(sink, address("k")) == "older"
        assert await asking.state(sink, address("l")) == ("gone", version(1))
        assert all(trace.intact for trace in await asking.held(sink))

    async def test_a_mark_takes_a_demoted_row(self, sink: Sink) -> None:
        """As any other, whatever the row's version was."""
        await asking.apply(sink, store(at=3, namespace="a"))
        await self.spoil_content(sink, address(namespace="a"))
        await self.recount(sink, address(namespace="a"))
        await asking.apply(sink, delete_namespace("a", at=1))
        await asking.sweep(sink)
        assert await asking.keys(sink) == []
        stats = await sink.stats("u")
        assert (stats.live, stats.marks) == (0, 1)

    async def test_a_damaged_row_behind_a_mark_stays_behind_it(self, sink: Sink) -> None:
        """It becomes the oldest that the mark leaves: it is not taken for one that was deleted."""
        command = store(at=3, namespace="a/b")
        await asking.apply(sink, delete_namespace("a", at=1), command)
        await self.spoil_content(sink, command.address)
        assert (await self.recount(sink, command.address)).damaged == 1
        await asking.sweep(sink)
        assert await asking.keys(sink) == ["k"]
        assert version(1) < (await _trace(sink, command.address)).version < version(2)
        assert await asking.apply(sink, store(at=1, namespace="a/b")) == [
            Outcome("superseded", newer=version(1))
        ]
        assert await asking.apply(sink, command) == [APPLIED]
        assert await asking.value(sink, command.address) == "a value"

    async def test_a_demoted_row_expires(self, sink: Sink) -> None:
        """When its time has come, as far as it still says when."""
        command = store(expires_at=moment(100))
        await asking.apply(sink, command, now=moment(50))
        await self.spoil_content(sink, address())
        await sink.sweep(moment(60), recount=_bucket(address()))
        await asking.sweep(sink, moment(150))
        assert (await _trace(sink, address())).intact is False
        assert await asking.keys(sink, as_of=moment(150)) == []
        await asking.apply(sink, command, now=moment(150))
        assert (await _trace(sink, address())).intact
        stats = await sink.stats("u")
        assert (stats.live, stats.expired) == (0, 1)


class _WrongHashes(_Damaging):
    async def test_a_hash_that_was_changed_is_seen(self, sink: Sink) -> None:
        """That of a live row, and that of a deleted one; whatever it is now."""
        commands: list[AnyCommand] = [store(), store("l"), delete("deleted", at=2), delete("other", at=2)]
        await asking.apply(sink, *commands)
        before = await sink.digests()
        spoilt = {address(): "0123456789abcdef" * 2, address("deleted"): "f" * 32, address("other"): "none"}
        for place, hash_ in spoilt.items():
            await self.spoil_hash(sink, place, hash_)
            assert await self.recount(sink, place) == SweepReport(corrected=True, damaged=1)
            trace = await _trace(sink, place)
            assert (trace.version, trace.hash, trace.intact) == (OLDEST, NO_HASH, False)
        await asking.apply(sink, *commands)
        assert await sink.digests() == before
        stats = await sink.stats("u")
        assert (stats.live, stats.deleted) == (2, 2)

    async def test_a_deleted_row_that_is_damaged_still_says_gone(self, sink: Sink) -> None:
        """Until something that can be trusted takes its place."""
        await asking.apply(sink, delete(at=2))
        await self.spoil_hash(sink, address(), "f" * 32)
        await self.recount(sink)
        assert (await asking.state(sink, address()))[0] == "gone"
        await asking.apply(sink, store(at=1))
        assert await asking.state(sink, address()) == ("entry", version(1))


class DamageConformance(_WrongDigests, _RemovedRows, _DamagedRows, _WrongHashes):
    """Say in a subclass how to damage your sink's store. Needs the fixture `sink`."""


def _wines() -> list[StoreCommand]:
    return [
        store("a", "white wine", at=1),
        store("b", "red wine", at=2, expires_at=moment(1e6)),
        store("c", "wine", at=3),
    ]


def _bucket(place: Address) -> int:
    return bucket_of(address_hash(*place))


async def _trace(sink: Sink, place: Address) -> Trace:
    (trace,) = [one for one in await asking.held(sink) if one.place == place]
    return trace
