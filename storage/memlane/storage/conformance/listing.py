"""List: a user's live entries by time, page by page."""

from typing import Literal

import pytest

from memlane.contracts.merge import sort_key
from memlane.contracts.query import Cursor
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import delete, delete_namespace, moment, store, version
from memlane.storage.sink import Sink

ORDERS = ("newest", "oldest")
Order = Literal["newest", "oldest"]


class Listing:
    """A list is ordered by (version, namespace, key), and goes on strictly behind the cursor."""

    async def test_newest_first(self, sink: Sink) -> None:
        """By version, not by when it was applied."""
        await asking.apply(sink, *(store(f"k{at}", at=at) for at in (2, 5, 1, 4, 3)))
        assert await asking.keys(sink) == ["k5", "k4", "k3", "k2", "k1"]
        assert await asking.keys(sink, order="oldest") == ["k1", "k2", "k3", "k4", "k5"]

    async def test_an_update_moves_an_entry(self, sink: Sink) -> None:
        """Its place is that of its newest version."""
        await asking.apply(sink, store("a", at=1), store("b", at=2), store("a", "again", at=3))
        assert await asking.keys(sink) == ["a", "b"]

    async def test_equal_versions_are_ordered_by_namespace_and_key(self, sink: Sink) -> None:
        """By code points, in both directions, and so that every sink pages alike."""
        places = [
            (namespace, key)
            for namespace in ("B", "a", "a/b", "ab", "z", "ä", "\uffff", "🙂")
            for key in ("K", "k", "k ", "é", "\uffff", "🙂")
        ]
        await asking.apply(sink, *(store(key, namespace=namespace) for namespace, key in places))
        for limit in (1, 5, 500):
            rising = await asking.walk(sink, limit=limit, order="oldest")
            assert [(entry.namespace, entry.key) for entry in rising] == sorted(places)
            falling = await asking.walk(sink, limit=limit)
            assert [(entry.namespace, entry.key) for entry in falling] == sorted(places, reverse=True)

    @pytest.mark.parametrize("order", ORDERS)
    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 23, 24, 25])
    async def test_pages_make_up_the_whole(self, sink: Sink, order: Order, limit: int) -> None:
        """Each entry once, in order, whatever the page's size; the last page says that it is the last."""
        await asking.apply(sink, *(store(f"k{n}", namespace=f"n{n % 3}", at=n // 2) for n in range(24)))
        entries = await asking.walk(sink, limit=limit, order=order)
        keys = [sort_key(entry) for entry in entries]
        assert keys == sorted(keys, reverse=order == "newest")
        assert len(set(keys)) == 24

    async def test_more_is_said_only_where_there_is_more(self, sink: Sink) -> None:
        """A page that holds exactly the rest is the last one."""
        await asking.apply(sink, *(store(f"k{n}", at=n) for n in range(4)))
        assert (await asking.page(sink, limit=3)).more
        assert not (await asking.page(sink, limit=4)).more
        assert not (await asking.page(sink, "nobody", limit=1)).more

    @pytest.mark.parametrize("order", ORDERS)
    async def test_paging_goes_on_over_what_changed_since(self, sink: Sink, order: Order) -> None:
        """The cursor is a sort key: what it points at may be deleted, and what moved behind is not missed."""
        await asking.apply(sink, *(store(f"k{n}", at=n) for n in range(1, 9)))
        cursor = Cursor(version=version(4), namespace="default", key="k4")
        await asking.apply(sink, delete("k4", at=100))
        expected = ["k3", "k2", "k1"] if order == "newest" else ["k5", "k6", "k7", "k8"]
        assert await asking.keys(sink, order=order, cursor=cursor) == expected

    @pytest.mark.parametrize("order", ORDERS)
    async def test_a_cursor_need_not_be_an_entrys(self, sink: Sink, order: Order) -> None:
        """A merged page ends where another sink's did."""
        await asking.apply(sink, store("a", at=1), store("b", at=3))
        cursor = Cursor(version=version(2), namespace="zz", key="none")
        assert await asking.keys(sink, order=order, cursor=cursor) == (["a"] if order == "newest" else ["b"])

    @pytest.mark.parametrize("order", ORDERS)
    async def test_no_page_is_empty_while_there_is_more(self, sink: Sink, order: Order) -> None:
        """However many rows lie between that the question does not mean."""
        commands = [store(f"k{n}", at=n, tags=["rare"] if n % 100 == 50 else ["common"]) for n in range(600)]
        await asking.apply(sink, *commands)
        entries = await asking.walk(sink, limit=1, order=order, filters={"tags_all": ["rare"]})
        keys = [f"k{n}" for n in range(50, 600, 100)]
        assert [entry.key for entry in entries] == (keys if order == "oldest" else keys[::-1])

    async def test_gone_entries_fill_no_page(self, sink: Sink) -> None:
        """Deleted, expired and covered rows between live ones are passed over."""
        await asking.apply(sink, *(store(f"k{n:02}", at=n, namespace=f"n{n % 4}") for n in range(40)))
        await asking.apply(sink, *(delete(f"k{n:02}", namespace="n1", at=100) for n in range(1, 40, 4)))
        await asking.apply(sink, delete_namespace("n2", at=100))
        expired = [
            store(f"k{n:02}", at=50 + n, namespace="n3", expires_at=moment(200)) for n in range(3, 40, 4)
        ]
        await asking.apply(sink, *expired, now=moment(150))
        entries = await asking.walk(sink, limit=3, order="oldest")
        assert [entry.key for entry in entries] == [f"k{n:02}" for n in range(0, 40, 4)]

    async def test_a_namespace_means_itself_and_all_below(self, sink: Sink) -> None:
        """By whole parts; without one, the whole user."""
        namespaces = ["a", "a/b", "a/b/c", "ab", "a-", "A", "b/a", "default"]
        await asking.apply(sink, *(store(namespace, namespace=namespace) for namespace in namespaces))
        assert set(await asking.keys(sink, namespace="a")) == {"a", "a/b", "a/b/c"}
        assert set(await asking.keys(sink, namespace="a/b")) == {"a/b", "a/b/c"}
        assert await asking.keys(sink, namespace="a/b/c/d") == []
        assert set(await asking.keys(sink)) == set(namespaces)

    async def test_an_empty_sink_lists_nothing(self, sink: Sink) -> None:
        """And has an empty digest."""
        page = await asking.page(sink)
        assert (page.hits, page.more) == ([], False)
        assert (page.digest.count, page.digest.sum) == (0, 0)
