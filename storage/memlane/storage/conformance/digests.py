"""Digests, the reconciler's comparison, and stats."""

import pytest

from memlane.contracts.command import AddressCommand, AnyCommand
from memlane.contracts.fingerprint import BUCKETS, Digest, address_hash, bucket_of, command_hash, digest_of
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import delete, delete_namespace, forget, moment, store
from memlane.storage.conformance.model import scope_of
from memlane.storage.rows import Kind, Trace
from memlane.storage.sink import Sink


def _some_of_everything() -> list[AnyCommand]:
    return [
        store("live"),
        store("other", user="other user", namespace="a/b"),
        delete("deleted", at=2),
        store("expired", expires_at=moment(10)),
        delete_namespace("below/here", at=3),
        forget("third", at=4),
    ]


def _trace(command: AnyCommand, kind: Kind | None) -> Trace:
    if isinstance(command, AddressCommand):
        return Trace(command.address, command.id, command_hash(command), kind, intact=True)
    return Trace(scope_of(command), command.id, command_hash(command), kind, intact=True)


class Digests:
    """The digest counts every row and mark by (address, version, command hash), whatever its kind."""

    async def test_an_empty_sink_has_empty_digests(self, sink: Sink) -> None:
        """One for each of the 4096 buckets."""
        assert await sink.digests() == [Digest()] * BUCKETS

    async def test_every_row_and_mark_is_compared(self, sink: Sink) -> None:
        """Live, deleted, expired, and marks: with place, version, hash and kind."""
        commands = _some_of_everything()
        await asking.apply(sink, *commands)
        kinds = [Kind.LIVE, Kind.LIVE, Kind.DELETED, Kind.EXPIRED, None, None]
        expected = {_trace(command, kind) for command, kind in zip(commands, kinds, strict=True)}
        found = await asking.held(sink)
        assert set(found) == expected
        assert len(found) == len(expected)

    async def test_everything_is_in_the_bucket_of_its_place(self, sink: Sink) -> None:
        """The bucket depends on user and address; an empty bucket lists nothing."""
        await asking.apply(sink, *_some_of_everything())
        for trace in await asking.held(sink):
            user_id, namespace, *key = trace.place
            bucket = bucket_of(address_hash(user_id, namespace or "", *key))
            assert trace in await sink.versions(bucket)
            assert trace.hash in await sink.hashes(bucket)
        digests = await sink.digests()
        empty = digests.index(Digest())
        assert (await sink.versions(empty), await sink.hashes(empty)) == ([], [])

    @pytest.mark.parametrize("check", [True, False])
    async def test_only_what_has_the_hashes_that_are_asked_for(self, sink: Sink, *, check: bool) -> None:
        """Rows and marks alike; of hashes that nothing has, nothing; of no hashes, nothing."""
        await asking.apply(sink, *_some_of_everything())
        for bucket, digest in enumerate(await sink.digests()):
            if not digest.count:
                continue
            traces = await sink.versions(bucket)
            assert sorted(await sink.hashes(bucket)) == sorted(trace.hash for trace in traces)
            for trace in traces:
                wanted = [trace.hash, "f" * 32]
                assert await sink.versions(bucket, check=check, hashes=wanted) == [trace]
            assert await sink.versions(bucket, check=check, hashes=[]) == []

    async def test_a_digest_is_the_sum_of_its_commands(self, sink: Sink) -> None:
        """Of all, and of a user; in a page, in stats and in the buckets alike."""
        commands = _some_of_everything()
        await asking.apply(sink, *commands)
        for user in (None, "u", "other user", "third", "nobody"):
            meant = [command_hash(c) for c in commands if user is None or c.user_id == user]
            expected = digest_of(meant)
            digest = (await sink.stats(user)).digest
            assert (digest.count, digest.sum) == (expected.count, expected.sum)
            if user is not None:
                assert (await asking.page(sink, user)).digest == digest

    async def test_a_replaced_row_leaves_no_trace_in_the_digest(self, sink: Sink) -> None:
        """However often it was replaced."""
        await asking.apply_each(sink, [store(value=at, at=at) for at in range(1, 30)])
        expected = digest_of([command_hash(store(value=29, at=29))])
        digest = (await sink.stats(None)).digest
        assert (digest.count, digest.sum) == (expected.count, expected.sum)

    async def test_a_recount_of_what_is_right_corrects_nothing(self, sink: Sink) -> None:
        """And changes nothing, in full buckets and in empty ones."""
        await asking.apply(sink, *_some_of_everything())
        before = await sink.digests()
        for bucket in (0, BUCKETS - 1, *(number for number, digest in enumerate(before) if digest.count)):
            report = await sink.sweep(moment(20), recount=bucket)
            assert not report.corrected
        assert await sink.digests() == before


class Stats:
    """How much a sink holds, of one user or in all."""

    async def test_rows_are_counted_by_kind(self, sink: Sink) -> None:
        """In all, and of a user."""
        await asking.apply(sink, *_some_of_everything(), now=moment(20))
        whole, user, nobody = [await sink.stats(user) for user in (None, "u", "nobody")]
        assert (whole.live, whole.deleted, whole.expired, whole.refused, whole.marks) == (2, 1, 1, 0, 2)
        assert (user.live, user.deleted, user.expired, user.refused, user.marks) == (1, 1, 1, 0, 1)
        assert (nobody.live, nobody.deleted, nobody.expired, nobody.refused, nobody.marks) == (0, 0, 0, 0, 0)

    async def test_counts_follow_every_change(self, sink: Sink) -> None:
        """Store, replace, delete, store again, forget."""
        counts = []
        for command in (store(at=1), store(at=2), delete(at=3), store(at=4), forget(at=5)):
            await asking.apply(sink, command)
            await asking.sweep(sink)
            stats = await sink.stats("u")
            counts.append((stats.live, stats.deleted, stats.marks))
        assert counts == [(1, 0, 0), (1, 0, 0), (0, 1, 0), (1, 0, 0), (0, 0, 1)]

    async def test_a_change_is_counted(self, sink: Sink) -> None:
        """The counter rises with every effective batch and never goes back; the incarnation stays."""
        seen = [await sink.stats(None)]
        for command in (store(at=1), delete(at=2), forget(at=3), store(at=4, expires_at=moment(50))):
            await asking.apply(sink, command, now=moment(10))
            seen.append(await sink.stats(None))
        await asking.sweep(sink, moment(60))
        seen.append(await sink.stats(None))
        changes = [stats.changes for stats in seen]
        assert changes == sorted(set(changes))
        assert len({stats.incarnation for stats in seen}) == 1
        assert seen[0].incarnation
        assert (await sink.health())[:2] == (seen[-1].incarnation, seen[-1].changes)

    async def test_durability_is_told(self, sink: Sink) -> None:
        """The same by the sink itself and in its stats."""
        assert (await sink.stats(None)).durable is sink.durable
