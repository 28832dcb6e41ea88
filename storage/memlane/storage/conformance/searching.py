"""Search: what any of its words are about, best first. The text has no syntax."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import StoreCommand
from memlane.contracts.query import SearchQuestion
from memlane.storage.analysis import body_terms, label_terms, query_terms
from memlane.storage.conformance import asking
from memlane.storage.conformance.cases import FOUND, HOSTILE, WORDS
from memlane.storage.conformance.commands import (
    NOW,
    USER,
    delete,
    delete_namespace,
    moment,
    store,
)
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.strategies import fresh_names
from memlane.storage.sink import Sink

_NOISE = [store(f"noise{n}", f"something else entirely, number {n}", namespace="noise") for n in range(12)]


class Searching:
    """What one sink finds, every other one finds."""

    async def test_words_are_found(self, sink: Sink) -> None:
        """By their stem, without case and accents, in texts, numbers and object keys of a value."""
        for number, (value, text) in enumerate(FOUND):
            user = f"u{number}"
            await asking.apply(sink, store("it", value, user=user), store("noise", "else", user=user))
            expected = ["it"] if text else ["noise", "it"]
            assert await asking.search(sink, text, user) == expected, (value, text)

    async def test_labels_are_found(self, sink: Sink) -> None:
        """Key, namespace and tags are searched like the value."""
        command = store("favorite_color", 1, namespace="profile/food", tags=["taste"])
        await asking.apply(sink, command, *_NOISE)
        for text in ("favorite", "color", "profile", "food", "tasting", "Favorite colors"):
            assert await asking.search(sink, text) == ["favorite_color"], text

    async def test_a_text_is_only_text(self, sink: Sink) -> None:
        """Whatever it looks like, it finds what its words are about, and fails nobody."""
        for number, text in enumerate(HOSTILE):
            user = f"u{number}"
            commands = [store("hostile", text, user=user), store("other", "a k1 of x", user=user)]
            await asking.apply(sink, *commands)
            if text.strip():
                assert set(await asking.search(sink, text, user)) == _expected(text, commands), text

    async def test_a_text_without_a_word_finds_nothing(self, sink: Sink) -> None:
        """It was not empty, so it does not mean everything."""
        await asking.apply(sink, store())
        for text in ("*", '"', "?!", "%", "..."):
            assert await asking.search(sink, text) == []

    async def test_an_empty_text_lists_the_newest(self, sink: Sink) -> None:
        """Newest first, and says whether there is more."""
        await asking.apply(sink, *(store(f"k{n}", at=n) for n in range(1, 6)))
        assert await asking.search(sink, "", limit=3) == ["k5", "k4", "k3"]
        assert await asking.search(sink, "  \n", limit=2) == ["k5", "k4"]
        for limit, more in ((4, True), (5, False)):
            assert (await sink.find(SearchQuestion(user_id=USER, limit=limit), NOW)).more is more

    async def test_at_most_the_limit(self, sink: Sink) -> None:
        """And `more` where there are others."""
        await asking.apply(sink, *(store(f"k{n}", "wine") for n in range(5)))
        for limit, count, more in ((3, 3, True), (5, 5, False), (9, 5, False)):
            page = await sink.find(SearchQuestion(user_id=USER, text="wine", limit=limit), NOW)
            assert (len(page.hits), page.more) == (count, more)

    async def test_only_what_is_there_now_is_found(self, sink: Sink) -> None:
        """Not what was replaced, deleted, covered by a mark or expired."""
        await asking.apply(sink, *(store(key, "wine", namespace=f"n/{key}") for key in "abcde"))
        await asking.apply(
            sink,
            store("a", "water", namespace="n/a", at=2),
            delete("b", namespace="n/b", at=2),
            delete_namespace("n/c", at=2),
            store("d", "wine", namespace="n/d", at=2, expires_at=moment(10)),
        )
        assert await asking.search(sink, "wine") == ["e"]
        assert await asking.search(sink, "water") == ["a"]
        await asking.sweep(sink)
        assert await asking.search(sink, "wine") == ["e"]

    async def test_what_came_back_is_found_once(self, sink: Sink) -> None:
        """Stored, deleted and stored again."""
        await asking.apply_each(sink, [store("k", "wine", at=1), delete("k", at=2), store("k", "wine", at=3)])
        assert await asking.search(sink, "wine") == ["k"]

    async def test_inside_a_namespace(self, sink: Sink) -> None:
        """It and all below it, by whole parts."""
        await asking.apply(sink, *(store(n, "wine", namespace=n) for n in ("a", "a/b", "ab", "b")))
        assert set(await asking.search(sink, "wine", namespace="a")) == {"a", "a/b"}

    async def test_rare_hits_among_many_filtered_out(self, sink: Sink) -> None:
        """However many better ranked entries the filters do not mean."""
        commands = [store(f"k{n}", "wine wine wine") for n in range(300)]
        await asking.apply(sink, *commands, store("rare", "a glass of wine", tags=["t"]))
        assert await asking.search(sink, "wine", filters={"tags_any": ["t"]}, limit=1) == ["rare"]

    async def test_nobody_elses_entries_are_found(self, sink: Sink) -> None:
        """Nor do they take places on the page."""
        await asking.apply(sink, *(store(f"k{n}", "wine wine", user=f"other {n % 3}") for n in range(200)))
        await asking.apply(sink, store("own", "some wine"))
        assert await asking.search(sink, "wine", limit=1) == ["own"]
        assert await asking.search(sink, "other") == []

    @on_one_sink()
    @given(
        values=st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), min_size=1, max_size=6),
        text=st.lists(st.sampled_from([*WORDS, "AND", "*", "nothing"]), max_size=3).map(" ".join),
        user=fresh_names(),
    )
    async def test_found_is_what_shares_a_term(
        self, sink: Sink, values: list[str], text: str, user: str
    ) -> None:
        """Exactly the entries that have one of the question's terms, by the rules of `analysis`."""
        commands = [store(f"k{n}", value, user=user) for n, value in enumerate(values)]
        await asking.apply(sink, *commands)
        expected = _expected(text, commands) if text else {command.key for command in commands}
        assert set(await asking.search(sink, text, user)) == expected


def _expected(text: str, commands: Sequence[StoreCommand]) -> set[str]:
    """The keys of the entries that share a term with the text."""
    words = set(query_terms(text))
    return {
        command.key
        for command in commands
        if words & {*body_terms(command.value_json), *label_terms(command.address, command.tags)}
    }
