"""Stores and versions."""

from itertools import permutations

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import command_hash
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import address, delete, moment, store, version
from memlane.storage.outcome import APPLIED, Outcome
from memlane.storage.sink import Sink


class Stores:
    """By address, the newest version wins."""

    async def test_a_store_is_found_at_its_address(self, sink: Sink) -> None:
        """What was applied is there, under its version."""
        assert await asking.apply(sink, store(value="blue", at=5)) == [APPLIED]
        entry = await asking.entry(sink, address())
        assert (entry.value, entry.version) == ("blue", version(5))

    async def test_the_newer_one_replaces_the_older_one(self, sink: Sink) -> None:
        """A newer store takes the place of an older one."""
        outcomes = await asking.apply_each(sink, [store(value="old", at=1), store(value="new", at=2)])
        assert outcomes == [APPLIED, APPLIED]
        assert await asking.value(sink, address()) == "new"

    async def test_an_older_one_that_comes_late_changes_nothing(self, sink: Sink) -> None:
        """It is superseded, and the outcome says by which version."""
        outcomes = await asking.apply_each(sink, [store(value="new", at=2), store(value="old", at=1)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(2))]
        assert await asking.value(sink, address()) == "new"

    async def test_every_order_ends_the_same(self, sink: Sink) -> None:
        """Three stores in all six orders, one batch each: only the newest is kept."""
        for number, order in enumerate(permutations([1, 2, 3])):
            await asking.apply_each(sink, [store(f"k{number}", at, at=at) for at in order])
            assert await asking.value(sink, address(f"k{number}")) == 3
        assert {trace.version for trace in await asking.held(sink)} == {version(3)}
        assert (await sink.stats("u")).digest.count == 6

    async def test_the_same_command_twice_counts_once(self, sink: Sink) -> None:
        """A redelivered command is applied again, in effect not at all."""
        command = store()
        assert await asking.apply(sink, command) == [APPLIED]
        before = await sink.stats("u")
        assert await asking.apply(sink, command) == [APPLIED]
        assert (await sink.stats("u")).digest == before.digest

    async def test_equal_versions_with_different_contents_come_to_the_higher_hash(self, sink: Sink) -> None:
        """Two contents under one version: the higher hash wins, in both orders."""
        for key, backwards in (("one", False), ("two", True)):
            low, high = sorted((store(key, "x"), store(key, "y")), key=command_hash, reverse=backwards)
            await asking.apply_each(sink, [low, high])
            winner = max(low, high, key=command_hash)
            assert await asking.value(sink, address(key)) == winner.value

    async def test_the_lower_hash_of_equal_versions_is_superseded(self, sink: Sink) -> None:
        """The loser's outcome names the version that it shares with the winner."""
        low, high = sorted((store(value="x"), store(value="y")), key=command_hash)
        assert await asking.apply_each(sink, [high, low]) == [APPLIED, Outcome("superseded", newer=high.id)]

    async def test_every_field_is_kept(self, sink: Sink) -> None:
        """An entry has all that its store said."""
        command = store(
            "favorite", {"color": "blue"}, namespace="profile/food", tags=["taste", "a"], importance=9,
            session="s1", project="p1", metadata={"source": "chat", "n": 1},
            created_at=moment(-86_400.25), expires_at=moment(86_400.000001),
        )  # fmt: skip
        await asking.apply(sink, command)
        entry = await asking.entry(sink, command.address)
        assert (entry.address, entry.version) == (command.address, command.id)
        assert (entry.value_json, entry.metadata_json) == (command.value_json, command.metadata_json)
        assert (entry.tags, entry.importance) == (("a", "taste"), 9)
        assert (entry.session_id, entry.project_id) == ("s1", "p1")
        assert (entry.created_at, entry.expires_at) == (moment(-86_400.25), moment(86_400.000001))

    async def test_instants_default_to_the_version(self, sink: Sink) -> None:
        """Without `created_at`, an entry was created and updated at its version's instant."""
        await asking.apply(sink, store(at=7))
        entry = await asking.entry(sink, address())
        assert (entry.created_at, entry.updated_at, entry.expires_at) == (moment(7), moment(7), None)

    async def test_nothing_of_the_older_one_is_left(self, sink: Sink) -> None:
        """Tags, metadata, session, project and expiry of the older version are gone with its value."""
        full = store(
            tags=["t"], importance=10, session="s", project="p", metadata={"m": 1}, expires_at=moment(30_000)
        )
        await asking.apply_each(sink, [full, store(at=2)])
        entry = await asking.entry(sink, address())
        assert (entry.tags, entry.importance, entry.metadata) == ((), 5, {})
        assert (entry.session_id, entry.project_id, entry.expires_at) == (None, None, None)

    async def test_addresses_differ_by_every_part(self, sink: Sink) -> None:
        """User, namespace and key each make another address; they never run together."""
        places = [("u", "a", "b/c"), ("u", "a/b", "c"), ("u", "b", "a"), ("u a", "b", "c"), ("u", "a b", "c")]
        commands = [store(k, [u, n, k], user=u, namespace=n) for u, n, k in places]
        await asking.apply(sink, *commands)
        for command in commands:
            assert await asking.value(sink, command.address) == list(command.address)

    async def test_case_and_accents_make_other_keys(self, sink: Sink) -> None:
        """Addresses are compared by code points: no folding, no normalisation, no trimming."""
        keys = ["k", "K", " k", "k ", "é", "e\u0301", "ß", "ss", "\u017f", "k\u200b", "🙂", "%", "_", "*"]
        await asking.apply(sink, *(store(key, key) for key in keys))
        for key in keys:
            assert await asking.value(sink, address(key)) == key
        assert set(await asking.keys(sink)) == set(keys)


class AddressDeletes:
    """What was deleted stays deleted, until something newer is stored."""

    async def test_a_deleted_entry_is_gone_at_the_deletes_version(self, sink: Sink) -> None:
        """*Gone* is not *unknown*, and says since which version."""
        assert await asking.apply_each(sink, [store(), delete(at=2)]) == [APPLIED, APPLIED]
        assert await asking.state(sink, address()) == ("gone", version(2))
        assert await asking.keys(sink) == []

    async def test_an_older_store_does_not_come_back(self, sink: Sink) -> None:
        """Not even where the sink never saw what was deleted."""
        outcomes = await asking.apply_each(sink, [delete(at=2), store(at=1)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(2))]
        assert await asking.state(sink, address()) == ("gone", version(2))

    async def test_a_newer_store_takes_effect(self, sink: Sink) -> None:
        """Deleting is not forbidding."""
        assert await asking.apply_each(sink, [delete(at=2), store(value="new", at=3)]) == [APPLIED, APPLIED]
        assert await asking.value(sink, address()) == "new"

    async def test_an_older_delete_changes_nothing(self, sink: Sink) -> None:
        """A delete that comes late does not take what was stored since."""
        outcomes = await asking.apply_each(sink, [store(at=3), delete(at=2)])
        assert outcomes == [APPLIED, Outcome("superseded", newer=version(3))]
        assert await asking.value(sink, address()) == "a value"

    async def test_a_delete_twice_counts_once(self, sink: Sink) -> None:
        """A redelivered delete changes nothing."""
        await asking.apply(sink, delete(at=2))
        before = (await sink.stats("u")).digest
        assert await asking.apply(sink, delete(at=2)) == [APPLIED]
        assert (await sink.stats("u")).digest == before

    async def test_a_delete_equal_in_version_to_a_store_comes_to_the_higher_hash(self, sink: Sink) -> None:
        """As for two stores, in both orders."""
        for key, backwards in (("one", False), ("two", True)):
            both: list[AnyCommand] = [store(key), delete(key, at=1)]
            commands = sorted(both, key=command_hash, reverse=backwards)
            await asking.apply_each(sink, commands)
            winner = max(commands, key=command_hash)
            expected = "entry" if winner.type == "store" else "gone"
            assert (await asking.state(sink, address(key)))[0] == expected

    async def test_only_that_address_is_deleted(self, sink: Sink) -> None:
        """Not the same key elsewhere, nor another key here, nor what is below."""
        others = [store("k2"), store(namespace="a"), store(user="other"), store(namespace="default/k")]
        await asking.apply(sink, store(), *others)
        await asking.apply(sink, delete(at=2))
        for command in others:
            assert await asking.value(sink, command.address) == "a value"

    async def test_the_content_of_a_deleted_entry_is_not_found(self, sink: Sink) -> None:
        """Neither by list nor by search."""
        await asking.apply_each(sink, [store(value="secret"), delete(at=2)])
        assert await asking.search(sink, "secret") == []
        assert await asking.search(sink, "") == []
