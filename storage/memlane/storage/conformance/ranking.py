"""The order of what a search finds: best first, whatever "best" is to a sink, but for these."""

from memlane.contracts.query import SearchQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, USER, store
from memlane.storage.sink import Sink

_NOISE = [store(f"noise{n}", f"something else entirely, number {n}", namespace="noise") for n in range(12)]


class Ranking:
    """Best first."""

    async def test_any_of_the_words_is_enough(self, sink: Sink) -> None:
        """And more of them come first."""
        texts = {"both": "red wine", "one": "white wine", "other": "red apples", "none": "green tea"}
        await asking.apply(sink, *(store(key, text) for key, text in texts.items()), *_NOISE)
        found = await asking.search(sink, "a glass of red wine, please")
        assert found[0] == "both"
        assert set(found) == {"both", "one", "other"}

    async def test_labels_count_more_than_the_body(self, sink: Sink) -> None:
        """An entry that is named for it comes before one that mentions it."""
        await asking.apply(
            sink,
            store("notes", "coffee, much of it", at=2),
            store("coffee", "nothing, much of it", at=1),
            *_NOISE,
        )
        assert await asking.search(sink, "coffee") == ["coffee", "notes"]

    async def test_more_about_it_comes_first(self, sink: Sink) -> None:
        """Of two texts of one length, the one that says it more often."""
        await asking.apply(
            sink,
            store("once", "tea and milk and bread", at=2),
            store("often", "tea tea tea and milk"),
            *_NOISE,
        )
        assert await asking.search(sink, "tea") == ["often", "once"]

    async def test_scores_fall(self, sink: Sink) -> None:
        """Higher is better."""
        await asking.apply(
            sink, *(store(f"k{n}", "wine " * n + "water " * (9 - n)) for n in range(1, 9)), *_NOISE
        )
        page = await sink.find(SearchQuestion(user_id=USER, text="wine"), NOW)
        scores = [hit.score for hit in page.hits]
        assert len(scores) == 8
        assert scores == sorted(scores, reverse=True)
