"""Users never meet: not in a read, not in a write, not in a digest."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, delete_namespace, forget, store
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.strategies import Awkward, fresh_names
from memlane.storage.sink import Sink

_LOOKALIKES = [
    "u",
    "U",
    "u ",
    " u",
    "uu",
    "u/u",
    "u:u",
    "u*",
    "u%",
    "_",
    "%",
    "*",
    "ü",
    "u\u0308",
    "u\u200b",
    "0",
]


class Users:
    """Every sink filters by user in its own storage layer."""

    async def test_each_user_has_an_own_entry_at_the_same_place(self, sink: Sink) -> None:
        """Users whose names look alike are different users."""
        await asking.apply(sink, *(store(value=user, user=user) for user in _LOOKALIKES))
        for user in _LOOKALIKES:
            assert await asking.value(sink, address(user=user)) == user
            assert [hit.entry.user_id for hit in (await asking.page(sink, user)).hits] == [user]

    async def test_a_search_finds_only_the_askers_own(self, sink: Sink) -> None:
        """Whatever the text, the users' names included."""
        await asking.apply(sink, *(store(f"of {user}", "red wine", user=user) for user in _LOOKALIKES))
        for user in _LOOKALIKES:
            for text in ("wine", "", "of", user):
                assert set(await asking.search(sink, text, user)) <= {f"of {user}"}
            assert await asking.search(sink, "wine", user) == [f"of {user}"]

    async def test_forgetting_one_leaves_the_others(self, sink: Sink) -> None:
        """One after the other is forgotten; the others keep theirs."""
        await asking.apply(sink, *(store(user=user) for user in _LOOKALIKES))
        for number, user in enumerate(_LOOKALIKES):
            await asking.apply(sink, forget(user, at=2))
            await asking.sweep(sink)
            left = [other for other in _LOOKALIKES if await asking.keys(sink, other)]
            assert left == _LOOKALIKES[number + 1 :]

    async def test_a_namespace_delete_is_one_users(self, sink: Sink) -> None:
        """The same namespace of another user stays."""
        await asking.apply(sink, *(store(user=user, namespace="a/b") for user in _LOOKALIKES))
        await asking.apply(sink, delete_namespace("a", at=2, user="u"))
        await asking.sweep(sink)
        assert await asking.keys(sink, "u") == []
        for user in _LOOKALIKES[1:]:
            assert await asking.keys(sink, user, namespace="a") == ["k"]

    async def test_a_users_digest_is_of_that_user_only(self, sink: Sink) -> None:
        """Others' changes do not touch it."""
        await asking.apply(sink, store())
        before = (await asking.page(sink)).digest
        await asking.apply(sink, *(store(user=user, at=2) for user in _LOOKALIKES[1:]))
        assert (await asking.page(sink)).digest == before
        assert (await sink.stats("u")).digest == before

    @on_one_sink()
    @given(data=st.data(), run=fresh_names())
    async def test_no_answer_holds_anybody_elses_entry(
        self, sink: Sink, data: st.DataObject, run: str
    ) -> None:
        """Any users, namespaces and keys: each question about a user finds exactly what that user stored."""
        places = data.draw(
            st.lists(st.tuples(Awkward.users, Awkward.namespaces, Awkward.keys), max_size=8, unique=True)
        )
        commands = [store(k, [u, n, k], user=f"{run}{u}", namespace=n) for u, n, k in places]
        if commands:
            await asking.apply(sink, *commands)
        asked = f"{run}{data.draw(Awkward.users)}"
        own = {command.address for command in commands if command.user_id == asked}
        for question in (ListQuestion(user_id=asked, limit=500), SearchQuestion(user_id=asked, limit=500)):
            assert {hit.entry.address for hit in (await sink.find(question, NOW)).hits} == own
        text = data.draw(st.sampled_from([asked, *(part for place in places for part in place), "x"]))
        found = await sink.find(SearchQuestion(user_id=asked, text=text[:2000], limit=500), NOW)
        assert {hit.entry.address for hit in found.hits} <= own
