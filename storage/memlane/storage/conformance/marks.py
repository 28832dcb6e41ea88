"""Scope deletes: a namespace and all below it, or a whole user."""

import pytest

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand
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
from memlane.storage.rows import Scope
from memlane.storage.sink import Sink

_BELOW_A = ["a", "a/b", "a/b/c", "a/ä", "a/%", "a/-", "a/0", "a/~", "a/\U0010ffff"]
_NOT_BELOW_A = ["ab", "A", "a b", "a-", "a.b", "a0", "b", "b/a", "ä", "á", "default"]
_PATTERNS = ["%", "_", "*", "?", "[a]", "a%", "a*", "\\", "'", '"']


def _at(namespace: str, key: str = "k") -> Address:
    return address(key, namespace=namespace)


class NamespaceDeletes:
    """A mark takes its namespace and everything below, up to its own version."""

    async def test_the_namespace_and_all_below_are_gone(self, sink: Sink) -> None:
        """At the mark's version."""
        await asking.apply(sink, *(store(namespace=namespace) for namespace in _BELOW_A))
        assert await asking.apply(sink, delete_namespace("a", at=2)) == [APPLIED]
        fetched = await sink.fetch([_at(namespace) for namespace in _BELOW_A], NOW)
        assert [(found.state, found.version) for found in fetched] == [("gone", version(2))] * len(_BELOW_A)

    async def test_other_namespaces_stay(self, sink: Sink) -> None:
        """Parts are compared whole, by code points: `ab` is not below `a`, and `A` is not `a`."""
        await asking.apply(sink, *(store(key=n, namespace=n) for n in _NOT_BELOW_A))
        await asking.apply(sink, delete_namespace("a", at=2))
        await asking.sweep(sink)
        assert set(await asking.keys(sink)) == set(_NOT_BELOW_A)

    async def test_a_namespace_is_no_pattern(self, sink: Sink) -> None:
        """Wildcards and quotes in a namespace's name mean themselves."""
        for user in _PATTERNS:
            await asking.apply(
                sink, store("other", namespace="ax", user=user), store(namespace=f"{user}/b", user=user)
            )
            await asking.apply(sink, delete_namespace(user, at=2, user=user))
            await asking.sweep(sink)
            assert await asking.keys(sink, user) == ["other"]

    async def test_a_non_ascii_namespace_is_matched_by_whole_parts(self, sink: Sink) -> None:
        """`größe` takes `größe/1`, not `größer`, nor the same letters composed in another way."""
        stays = ["größer", "gro\u0308ße", "grösse", "GRÖSSE", "größ"]
        await asking.apply(sink, *(store(n, namespace=n) for n in [*stays, "größe", "größe/1"]))
        await asking.apply(sink, delete_namespace("größe", at=2))
        assert set(await asking.keys(sink)) == set(stays)

    async def test_sixteen_levels_deep(self, sink: Sink) -> None:
        """A mark at the top takes the deepest namespace there can be."""
        deepest = "/".join("abcdefghijklmnop")
        await asking.apply(sink, store(namespace=deepest))
        await asking.apply(sink, delete_namespace("a/b", at=2))
        assert await asking.state(sink, _at(deepest)) == ("gone", version(2))

    async def test_reads_obey_a_mark_at_once(self, sink: Sink) -> None:
        """Before any sweep, and in every kind of question."""
        await asking.apply(sink, *(store(f"k{n}", "red wine", namespace="a/b") for n in range(20)))
        await asking.apply(sink, delete_namespace("a", at=2))
        assert (await asking.state(sink, _at("a/b", "k7")))[0] == "gone"
        assert await asking.keys(sink) == []
        assert await asking.search(sink, "wine") == []
        assert await asking.search(sink, "") == []

    async def test_an_older_store_under_a_mark_is_superseded(self, sink: Sink) -> None:
        """It comes late, and the outcome names the mark."""
        outcomes = await asking.apply_each(sink, [delete_namespace("a", at=2), store(namespace="a/b", at=1)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(2))]
        assert await asking.state(sink, _at("a/b")) == ("gone", version(2))

    async def test_an_older_delete_under_a_mark_is_superseded(self, sink: Sink) -> None:
        """A tombstone under a mark would say nothing that the mark does not say."""
        outcomes = await asking.apply_each(sink, [delete_namespace("a", at=3), delete(namespace="a/b", at=2)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(3))]

    async def test_a_newer_store_under_a_mark_takes_effect(self, sink: Sink) -> None:
        """And stays, however often the mark is delivered again."""
        mark = delete_namespace("a", at=2)
        commands: list[AnyCommand] = [mark, store(namespace="a/b", at=3), mark]
        assert await asking.apply_each(sink, commands) == [APPLIED] * 3
        await asking.sweep(sink)
        assert await asking.value(sink, _at("a/b")) == "a value"

    async def test_an_older_mark_does_not_take_what_is_newer(self, sink: Sink) -> None:
        """A mark that comes late takes only what is older than itself."""
        await asking.apply(sink, store("old", namespace="a", at=1), store("new", namespace="a", at=3))
        await asking.apply(sink, delete_namespace("a", at=2))
        await asking.sweep(sink)
        assert await asking.keys(sink) == ["new"]

    @pytest.mark.parametrize("mark_first", [True, False])
    async def test_a_mark_takes_a_store_of_its_own_version(self, sink: Sink, *, mark_first: bool) -> None:
        """Up to its own version, itself included, whichever comes first."""
        commands: list[AnyCommand] = [delete_namespace("a", at=1), store(namespace="a", at=1)]
        await asking.apply_each(sink, commands if mark_first else commands[::-1])
        await asking.sweep(sink)
        assert await asking.state(sink, _at("a")) == ("gone", version(1))
        assert [trace.place for trace in await asking.held(sink)] == [Scope("u", "a")]

    async def test_what_was_never_seen_is_gone_under_a_mark(self, sink: Sink) -> None:
        """The sink knows that nothing older is there."""
        await asking.apply(sink, delete_namespace("a", at=2))
        assert await asking.state(sink, _at("a/b", "never stored")) == ("gone", version(2))
        assert await asking.state(sink, _at("b")) == ("unknown", None)

    async def test_a_mark_twice_counts_once(self, sink: Sink) -> None:
        """A redelivered mark changes nothing; an older one of the same scope is superseded."""
        await asking.apply(sink, delete_namespace("a", at=2))
        before = (await sink.stats("u")).digest
        outcomes = await asking.apply_each(sink, [delete_namespace("a", at=2), delete_namespace("a", at=1)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(2))]
        assert (await sink.stats("u")).digest == before


class MarksAmongMarks:
    """No mark at or below a covering mark is kept."""

    @pytest.mark.parametrize("forwards", [True, False])
    async def test_a_covering_mark_drops_the_older_ones_below(self, sink: Sink, *, forwards: bool) -> None:
        """Whichever comes first."""
        commands = [delete_namespace("a/b", at=1), delete_namespace("a/c", at=2), delete_namespace("a", at=2)]
        await asking.apply_each(sink, commands if forwards else commands[::-1])
        traces = await asking.held(sink)
        assert [(trace.place, trace.version) for trace in traces] == [(Scope("u", "a"), version(2))]
        assert (await sink.stats("u")).marks == 1

    @pytest.mark.parametrize("forwards", [True, False])
    async def test_a_newer_mark_below_stays(self, sink: Sink, *, forwards: bool) -> None:
        """It says more than the older one above it."""
        commands = [delete_namespace("a/b", at=3), delete_namespace("a", at=2)]
        assert await asking.apply_each(sink, commands if forwards else commands[::-1]) == [APPLIED] * 2
        assert await asking.state(sink, _at("a/b")) == ("gone", version(3))
        assert await asking.state(sink, _at("a")) == ("gone", version(2))

    @pytest.mark.parametrize("forwards", [True, False])
    async def test_forgetting_a_user_drops_all_older_marks(self, sink: Sink, *, forwards: bool) -> None:
        """The mark of the whole user is enough."""
        commands: list[AnyCommand] = [
            delete_namespace("a", at=1),
            delete_namespace("b/c", at=1),
            forget(at=2),
        ]
        await asking.apply_each(sink, commands if forwards else commands[::-1])
        assert [trace.place for trace in await asking.held(sink)] == [Scope("u", None)]

    async def test_what_a_dropped_mark_covered_stays_gone(self, sink: Sink) -> None:
        """Its rows were not yet removed when the mark above took its place."""
        await asking.apply(sink, *(store(f"k{n}", namespace="a/b") for n in range(50)))
        await asking.apply(sink, delete_namespace("a/b", at=2))
        await asking.apply(sink, delete_namespace("a", at=3))
        assert await asking.keys(sink) == []
        await asking.sweep(sink, limit=7)
        assert [trace.place for trace in await asking.held(sink)] == [Scope("u", "a")]


class UserDeletes:
    """Forgetting a user takes everything of that user, and of nobody else."""

    async def test_everything_of_the_user_is_gone(self, sink: Sink) -> None:
        """In every namespace, tombstones and marks included."""
        await asking.apply(
            sink, store(), store(namespace="a/b"), delete("x", at=1), delete_namespace("c", at=1)
        )
        assert await asking.apply(sink, forget(at=2)) == [APPLIED]
        await asking.sweep(sink)
        assert await asking.state(sink, address()) == ("gone", version(2))
        assert [trace.place for trace in await asking.held(sink)] == [Scope("u", None)]

    async def test_a_user_can_come_back(self, sink: Sink) -> None:
        """What is stored after it takes effect."""
        await asking.apply_each(sink, [store(at=1), forget(at=2), store("new", at=3), forget(at=2)])
        await asking.sweep(sink)
        assert await asking.keys(sink) == ["new"]

    @pytest.mark.parametrize("other", ["U", "uu", "u ", "u/", "u/u", "u:default", "%", "ü", "u\u0301"])
    async def test_other_users_stay(self, sink: Sink, other: str) -> None:
        """Users are compared whole, by code points."""
        await asking.apply(sink, store(user=other), store())
        await asking.apply(sink, forget(at=2), delete_namespace("default", at=3))
        await asking.sweep(sink)
        assert await asking.keys(sink, other) == ["k"]

    async def test_many_rows_go_in_bounded_chunks(self, sink: Sink) -> None:
        """The mark holds at once; no sweep removes more rows than it may, and in the end none is left."""
        commands = [store(f"k{n}", n) for n in range(1200)]
        await asking.apply(sink, *commands)
        await asking.apply(sink, forget(at=2), store("new", at=3))
        assert await asking.keys(sink) == ["new"]
        await asking.sweep(sink, limit=100)
        stats = await sink.stats("u")
        assert (stats.live, stats.marks, stats.digest.count) == (1, 1, 2)
