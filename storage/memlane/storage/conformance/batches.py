"""Batches: one unit of work, whose commands may touch the same address."""

from itertools import permutations

import pytest

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import command_hash
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import (
    NOW,
    address,
    delete,
    delete_namespace,
    forget,
    store,
    version,
)
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.sink import Sink


class Batches:
    """A batch comes to the same as its commands one by one."""

    async def test_outcomes_are_in_the_order_of_the_commands(self, sink: Sink) -> None:
        """One for each command."""
        await asking.apply(sink, store("b", at=5))
        outcomes = await asking.apply(sink, store("a"), store("b"), delete("c", at=1), forget("other", at=1))
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(5)), APPLIED, APPLIED]

    async def test_a_duplicate_inside_a_batch_counts_once(self, sink: Sink) -> None:
        """Both are applied; one row is kept."""
        assert await asking.apply(sink, store(), store(), store()) == [APPLIED] * 3
        assert (await sink.stats("u")).digest.count == 1

    async def test_an_older_one_behind_a_newer_one_is_superseded(self, sink: Sink) -> None:
        """As if they had come in two batches."""
        outcomes = await asking.apply(sink, store(value="new", at=2), store(value="old", at=1))
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(2))]
        assert await asking.value(sink, address()) == "new"

    async def test_one_address_in_every_order(self, sink: Sink) -> None:
        """Store, delete and a newer store of one address in one batch: the newest wins in all six orders."""
        for number, order in enumerate(permutations(range(3))):
            key = f"k{number}"
            commands: list[AnyCommand] = [store(key, "old", at=1), delete(key, at=2), store(key, "new", at=3)]
            await asking.apply(sink, *(commands[at] for at in order))
            assert await asking.value(sink, address(key)) == "new"

    async def test_a_mark_and_what_it_covers_in_every_order(self, sink: Sink) -> None:
        """A mark, an older and a newer store under it in one batch, in all six orders."""
        for number, order in enumerate(permutations(range(3))):
            namespace = f"n{number}"
            commands: list[AnyCommand] = [
                store("old", namespace=f"{namespace}/x", at=1),
                delete_namespace(namespace, at=2),
                store("new", namespace=f"{namespace}/x", at=3),
            ]
            await asking.apply(sink, *(commands[at] for at in order))
            assert await asking.keys(sink, namespace=namespace) == ["new"]

    async def test_marks_of_one_batch_cover_each_other(self, sink: Sink) -> None:
        """Nested marks of rising and falling versions in every order."""
        for number, order in enumerate(permutations(range(3))):
            user = f"u{number}"
            commands = [
                delete_namespace("a", at=2, user=user),
                delete_namespace("a/b", at=1, user=user),
                delete_namespace("a/b/c", at=3, user=user),
            ]
            await asking.apply(sink, *(commands[at] for at in order))
            assert (await sink.stats(user)).marks == 2

    async def test_a_mark_that_is_dropped_and_set_again(self, sink: Sink) -> None:
        """A held mark, covered by one of the batch, and a newer one in its place behind it."""
        await asking.apply(sink, delete_namespace("a/b", at=1))
        commands = [delete_namespace("a", at=2), delete_namespace("a/b", at=3)]
        assert await asking.apply(sink, *commands) == [APPLIED] * 2
        assert {(trace.place, trace.version) for trace in await asking.held(sink)} == {
            (("u", "a"), version(2)),
            (("u", "a/b"), version(3)),
        }

    @pytest.mark.parametrize("backwards", [True, False])
    async def test_equal_versions_inside_a_batch(self, sink: Sink, *, backwards: bool) -> None:
        """The higher hash wins there too."""
        commands = sorted((store(value="x"), store(value="y")), key=command_hash, reverse=backwards)
        await asking.apply(sink, *commands)
        assert await asking.value(sink, address()) == max(commands, key=command_hash).value

    async def test_users_side_by_side(self, sink: Sink) -> None:
        """One batch may hold many users' commands, deletes included."""
        users = [f"user {n}" for n in range(30)]
        await asking.apply(sink, *(store(user=user, value=user) for user in users))
        await asking.apply(sink, *(forget(user, at=2) for user in users[::2]))
        for number, user in enumerate(users):
            assert await asking.keys(sink, user) == (["k"] if number % 2 else [])

    async def test_a_batch_of_two_thousand(self, sink: Sink) -> None:
        """Some thousands of commands are one batch."""
        commands = [store(f"k{n:04}", n) for n in range(2000)]
        assert await asking.apply(sink, *commands) == [APPLIED] * 2000
        fetched = await sink.fetch([command.address for command in commands], NOW)
        assert [found.entry.value for found in fetched if found.entry] == list(range(2000))
        assert (await sink.stats("u")).live == 2000

    async def test_a_large_batch_again_changes_nothing(self, sink: Sink) -> None:
        """A redelivery of many messages at once."""
        commands = [store(f"k{n}", n) for n in range(300)]
        await asking.apply(sink, *commands)
        before = await sink.digests()
        assert await asking.apply(sink, *reversed(commands)) == [APPLIED] * 300
        assert await sink.digests() == before
