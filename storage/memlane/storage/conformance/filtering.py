"""Filters: everything that is given must hold. The rule is `memlane.storage.filters.matches`."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.command import StoreCommand
from memlane.contracts.query import Filters
from memlane.storage.conformance import asking
from memlane.storage.conformance.cases import ENTRIES, FILTERS, RANGES
from memlane.storage.conformance.commands import moment, store
from memlane.storage.conformance.profiles import on_one_sink
from memlane.storage.conformance.strategies import filtered_stores, fresh_names, some_filters
from memlane.storage.filters import matches
from memlane.storage.sink import Sink


class Filtering:
    """Lists and searches mean the same entries by the same filters."""

    async def test_each_filter(self, sink: Sink) -> None:
        """What it means, of five entries; in a list, in a search and in a search without a text."""
        await asking.apply(sink, *(store(key, "wine", **fields) for key, fields in ENTRIES.items()))
        for filters, expected in FILTERS:
            meant = set(expected.split())
            assert set(await asking.keys(sink, filters=filters)) == meant, filters
            assert set(await asking.search(sink, "wine", filters=filters)) == meant, filters
            assert set(await asking.search(sink, "", filters=filters)) == meant, filters

    async def test_no_pattern_takes_long(self, sink: Sink) -> None:
        """However many stars are in it, and however nearly a key matches."""
        await asking.apply(sink, *(store("a" * (255 - n)) for n in range(20)))
        async with asyncio.timeout(5):
            assert await asking.keys(sink, filters={"key_pattern": "*a" * 120 + "*b"}) == []
            assert len(await asking.keys(sink, filters={"key_pattern": "*a?" * 60 + "*"})) == 20

    async def test_ranges_of_instants(self, sink: Sink) -> None:
        """From is included, before is not, to the microsecond."""
        await asking.apply(
            sink, *(store(key, at=n, created_at=moment(n * 10)) for n, key in enumerate("abc", start=1))
        )
        for filters, expected in RANGES:
            assert set(await asking.keys(sink, filters=filters)) == set(expected.split()), filters

    async def test_filters_hold_inside_a_namespace(self, sink: Sink) -> None:
        """Both must hold."""
        await asking.apply(
            sink,
            store("in", namespace="a/b", tags=["t"]),
            store("not tagged", namespace="a"),
            store("outside", namespace="ab", tags=["t"]),
        )
        assert await asking.keys(sink, namespace="a", filters={"tags_any": ["t"]}) == ["in"]

    @on_one_sink()
    @given(
        commands=st.lists(filtered_stores(), min_size=1, max_size=8),
        filters=some_filters(),
        user=fresh_names(),
    )
    async def test_every_filter_is_the_rule(
        self, sink: Sink, commands: list[StoreCommand], filters: Filters, user: str
    ) -> None:
        """Of any entries, any filters mean what the rule in Python says."""
        await asking.apply(sink, *(c.model_copy(update={"user_id": user}) for c in commands))
        everything = await asking.page(sink, user, limit=500)
        expected = [hit.entry.address for hit in everything.hits if matches(hit.entry, None, filters)]
        found = await asking.page(sink, user, limit=500, filters=filters)
        assert [hit.entry.address for hit in found.hits] == expected
