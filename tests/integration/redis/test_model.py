"""The script against the rules: what `memlane.storage.decide` says of a dict, Redis must come to."""

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime

import pytest

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.fingerprint import BUCKETS, Digest, address_hash, bucket_of, digest_of
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import ListQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import delete, delete_namespace, forget, moment, store
from memlane.storage.decide import covering, decide
from memlane.storage.outcome import Outcome
from memlane.storage.redis import RedisSink
from memlane.storage.rows import Head, Kind, Mark, Scope

USERS = ["u", "ü", "u/x"]
NAMESPACES = ["a", "a/b", "a/b/c", "ab", "a-", "ä"]
KEYS = ["k", "kk", "\U0001f98a"]
LENGTH = 60
"""Moments of versions and of applying, few enough that versions meet."""


class Model:
    """What a sink holds, as two dicts; nothing under a mark is kept for long."""

    def __init__(self) -> None:
        self.heads: dict[Address, Head] = {}
        self.marks: dict[str, dict[str | None, Mark]] = defaultdict(dict)
        self.expires_us: dict[Address, int | None] = {}

    def apply(self, commands: list[AnyCommand], now: datetime) -> list[Outcome]:
        """Decides a batch and takes over what it comes to."""
        decided = decide(commands, self.heads, self.marks, now_us=to_microseconds(now))
        for scope in decided.dropped_marks:
            self.marks[scope.user_id].pop(scope.namespace, None)
        for scope, mark in decided.marks.items():
            self.marks[scope.user_id][scope.namespace] = mark
        for address, change in decided.rows.items():
            if change is None:
                self.heads.pop(address, None)
                continue
            self.heads[address], command = change
            live = isinstance(command, StoreCommand) and change[0].kind is Kind.LIVE
            self.expires_us[address] = command.expires_us if live else None  # type: ignore[union-attr]
        return decided.outcomes

    def sweep(self, now: datetime) -> None:
        """Expires what is due, and removes what is under a mark."""
        for address, head in list(self.heads.items()):
            mark = covering(self.marks[address.user_id], address.namespace)
            expires_us = self.expires_us.get(address)
            if mark is not None and mark.version >= head.version:
                del self.heads[address]
            elif head.kind is Kind.LIVE and expires_us is not None and expires_us <= to_microseconds(now):
                self.heads[address] = head._replace(kind=Kind.EXPIRED)

    def held(self) -> set[tuple[Address | Scope, str, str, Kind | None]]:
        """All rows and marks."""
        rows: set[tuple[Address | Scope, str, str, Kind | None]] = {
            (address, head.version, head.hash, head.kind) for address, head in self.heads.items()
        }
        return rows | {
            (Scope(user, namespace), mark.version, mark.hash, None)
            for user, marks in self.marks.items()
            for namespace, mark in marks.items()
        }

    def digests(self) -> list[Digest]:
        """By bucket, from the rows and marks."""
        hashes: list[list[str]] = [[] for _ in range(BUCKETS)]
        for place, _, hash_, _ in self.held():
            parts = place if isinstance(place, Address) else (place.user_id, place.namespace or "")
            hashes[bucket_of(address_hash(*parts))].append(hash_)
        return [digest_of(of_bucket) for of_bucket in hashes]

    def listed(self, user: str, as_of: datetime) -> list[Address]:
        """What a list of a user holds, newest first."""
        live = [
            (head.version, address.namespace, address.key)
            for address, head in self.heads.items()
            if address.user_id == user and head.kind is Kind.LIVE and self._is_visible(address, head, as_of)
        ]
        return [Address(user, namespace, key) for _, namespace, key in sorted(live, reverse=True)]

    def _is_visible(self, address: Address, head: Head, as_of: datetime) -> bool:
        mark = covering(self.marks[address.user_id], address.namespace)
        expires_us = self.expires_us.get(address)
        return (mark is None or mark.version < head.version) and (
            expires_us is None or expires_us > to_microseconds(as_of)
        )


def _some_commands(random_: random.Random, count: int) -> Iterator[AnyCommand]:
    for _ in range(count):
        user, namespace, key = random_.choice(USERS), random_.choice(NAMESPACES), random_.choice(KEYS)
        at = random_.randrange(LENGTH)
        kind = random_.random()
        if kind < 0.6:
            value = random_.choice(["wine", ["red", "wine"], {}])
            expires = moment(random_.randrange(2 * LENGTH)) if random_.random() < 0.4 else None
            yield store(key, value, at=at, user=user, namespace=namespace, expires_at=expires)
        elif kind < 0.8:
            yield delete(key, at=at, user=user, namespace=namespace)
        elif kind < 0.97:
            yield delete_namespace(namespace, at=at, user=user)
        else:
            yield forget(user, at=at)


@pytest.mark.parametrize("seed", range(40))
async def test_redis_comes_to_what_the_rules_say(sink: RedisSink, seed: int) -> None:
    """Outcomes, rows, marks, digests, counts, answers: whatever comes, in whatever order, however often."""
    random_ = random.Random(seed)
    model, seen = Model(), list[AnyCommand]()
    for step in range(30):
        now = moment(step * 4)
        batch = list(_some_commands(random_, random_.randrange(1, 9)))
        batch += random_.sample(seen, min(len(seen), random_.randrange(4)))
        seen += batch
        assert await sink.apply(batch, now) == model.apply(batch, now)
        if random_.random() < 0.3:
            await sink.sweep(now, limit=random_.randrange(1, 6))
        for user in USERS:
            page = await sink.find(ListQuestion(user_id=user, limit=500), now)
            assert [hit.entry.address for hit in page.hits] == model.listed(user, now)
    await _sweep_and_compare(sink, model)


async def _sweep_and_compare(sink: RedisSink, model: Model) -> None:
    end = moment(2 * LENGTH)
    while (await sink.sweep(end, limit=5)).more:
        pass
    model.sweep(end)
    traces = await asking.held(sink)
    assert all(trace.intact for trace in traces)
    assert {(trace.place, trace.version, trace.hash, trace.kind) for trace in traces} == model.held()
    assert await sink.digests() == model.digests()
    for user in USERS:
        stats = await sink.stats(user)
        held = [item for item in model.held() if item[0].user_id == user]
        whole = digest_of(hash_ for _, _, hash_, _ in held)
        assert (stats.digest.count, stats.digest.sum) == (whole.count, whole.sum)
        kinds = [kind for _, _, _, kind in held]
        assert stats.live == kinds.count(Kind.LIVE)
        assert stats.deleted == kinds.count(Kind.DELETED)
        assert stats.expired == kinds.count(Kind.EXPIRED)
        assert stats.marks == kinds.count(None)


@pytest.mark.parametrize("seed", range(10))
async def test_order_and_repetition_do_not_matter(sink: RedisSink, seed: int) -> None:
    """The same commands shuffled, doubled and cut into other batches come to the same."""
    random_ = random.Random(seed)
    commands = list(_some_commands(random_, 150))
    model = Model()
    model.apply(commands, moment(0))
    shuffled = random_.sample(commands * 2, 300)
    while shuffled:
        size = random_.randrange(1, 40)
        await sink.apply(shuffled[:size], moment(0))
        shuffled = shuffled[size:]
    await _sweep_and_compare(sink, model)
