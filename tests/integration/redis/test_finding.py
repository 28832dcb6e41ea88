"""Lists and searches over more rows than one step looks at."""

import pytest

from memlane.contracts.query import Filters, ListQuestion, SearchQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, delete, delete_namespace, moment, store
from memlane.storage.redis import RedisSink, finding
from memlane.storage.redis.client import Client, Reply
from memlane.storage.redis.scripts import LIST, SEARCH, Script


async def test_a_rare_row_is_found_behind_many_others(sink: RedisSink) -> None:
    """By namespace and by filter, in a list and in a search, in either order."""
    await sink.apply([store(f"k{n:04}", "red wine", at=n, namespace="common") for n in range(2500)], NOW)
    rare = store("rare", "red wine", at=1250, namespace="rare/one", tags=["rare"])
    await sink.apply([rare], NOW)
    for order in ("newest", "oldest"):
        assert await asking.keys(sink, namespace="rare", order=order) == ["rare"]
        assert await asking.keys(sink, filters={"tags_any": ["rare"]}, order=order) == ["rare"]
    assert await asking.search(sink, "wine", namespace="rare") == ["rare"]
    assert await asking.search(sink, "wine", filters={"tags_any": ["rare"]}) == ["rare"]


@pytest.mark.parametrize("order", ["newest", "oldest"])
async def test_steps_lose_and_repeat_nothing(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch, order: str
) -> None:
    """However small they are."""
    monkeypatch.setattr(finding, "_STEP_MEMBERS", 3)
    monkeypatch.setattr(finding, "_STEP_ROWS", 2)
    monkeypatch.setattr(finding, "_STEP_BYTES", 30)
    commands = [store(f"k{n:02}", n, at=n // 3, namespace="a" if n % 2 else "b") for n in range(40)]
    await sink.apply(commands, NOW)
    expected = [f"k{n:02}" for n in range(1, 40, 2)]
    found = await asking.keys(sink, namespace="a", order=order)
    assert sorted(found) == expected
    assert (await asking.keys(sink, filters={"key_pattern": "k?0"}, order="oldest")) == [
        "k00",
        "k10",
        "k20",
        "k30",
    ]


async def test_a_search_reads_on_past_what_the_filters_leave_out(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In ranks, step by step, best first."""
    monkeypatch.setattr(finding, "_FIRST_ROWS", 2)
    monkeypatch.setattr(finding, "_STEP_ROWS", 3)
    commands = [
        store(f"k{n:02}", "wine" if n % 2 else "red wine", at=n, importance=1 + n % 3) for n in range(30)
    ]
    await sink.apply(commands, NOW)
    found = await asking.search(sink, "red wine", filters={"importance_min": 3})
    both, one = [n for n in range(30) if not n % 2], [n for n in range(30) if n % 2]
    assert found == [f"k{n:02}" for n in [*both[::-1], *one[::-1]] if n % 3 == 2]


async def test_of_a_word_that_very_many_have_the_newest_are_found(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left out is said by `more`; a rarer word still finds the old ones."""
    monkeypatch.setattr(finding, "_SEARCHED_MEMBERS", 20)
    await sink.apply([store(f"k{n:03}", "wine", at=n) for n in range(200)], NOW)
    await sink.apply([store("old", "wine cellar", at=0)], NOW)
    page = await sink.find(SearchQuestion(user_id="u", text="wine", limit=50), NOW)
    assert [hit.entry.key for hit in page.hits] == [f"k{n}" for n in range(199, 179, -1)]
    assert page.more
    assert (await asking.search(sink, "wine cellar", limit=3))[0] == "old"


async def test_a_search_finds_what_is_meant_among_the_older(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only rows mean it that were left out of the ranking; and a page with `more` is never empty."""
    monkeypatch.setattr(finding, "_SEARCHED_MEMBERS", 10)
    await sink.apply([store(f"k{n:03}", "wine", at=n) for n in range(200)], NOW)
    await sink.apply(
        [store("k-beer", "beer", at=3, namespace="rare"), store("k-old", "wine", at=2, namespace="rare")], NOW
    )
    page = await sink.find(
        SearchQuestion(user_id="u", text="wines", filters=Filters(key_pattern="k00?")), NOW
    )
    assert [hit.entry.key for hit in page.hits] == [f"k00{n}" for n in range(9, -1, -1)]
    assert not page.more
    assert await asking.search(sink, "wine cellar", namespace="rare") == ["k-old"]
    assert await asking.search(sink, "wine", filters={"key_pattern": "none"}) == []


async def test_a_search_begins_again_when_ranks_have_moved(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has moved up, past where the search stood, is not missed."""
    monkeypatch.setattr(finding, "_FIRST_ROWS", 3)
    await sink.apply([store(f"k{n}", "wine", at=n) for n in range(9)], NOW)
    run, asked = Client.run, list[Script]()

    async def disturbed(client: Client, script: Script, *arguments: str | int) -> Reply:
        reply = await run(client, script, *arguments)
        asked.append(script)
        if asked == [SEARCH]:
            await sink.apply([delete(f"k{n}", at=20) for n in (8, 7, 6, 5)], NOW)
        return reply

    monkeypatch.setattr(Client, "run", disturbed)
    assert await asking.search(sink, "wine", filters={"key_pattern": "k4"}) == ["k4"]


async def test_a_page_ends_where_something_has_changed(
    sink: RedisSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before is of one snapshot with its digest; the next page goes on."""
    monkeypatch.setattr(finding, "_STEP_BYTES", 1)
    await sink.apply([store(f"k{n}", at=n) for n in range(4)], NOW)
    before = (await sink.stats("u")).digest
    run, asked = Client.run, list[Script]()

    async def disturbed(client: Client, script: Script, *arguments: str | int) -> Reply:
        reply = await run(client, script, *arguments)
        asked.append(script)
        if asked == [LIST] * 2:
            await sink.apply([delete("k0", at=20)], NOW)
        return reply

    monkeypatch.setattr(Client, "run", disturbed)
    page = await sink.find(ListQuestion(user_id="u"), NOW)
    assert ([hit.entry.key for hit in page.hits], page.more, page.digest) == (["k3", "k2"], True, before)


async def test_what_names_an_entry_counts_more(sink: RedisSink) -> None:
    """Key, namespace and tags before the value; both before one; rare words before common ones."""
    await sink.apply(
        [
            store("value", "wine", at=4),
            store("both", "wine", at=1, tags=["wine"]),
            store("wine", "something", at=2),
            *(store(f"other{n}", "cheese", at=n) for n in range(10)),
        ],
        NOW,
    )
    assert await asking.search(sink, "wine") == ["both", "wine", "value"]
    assert (await asking.search(sink, "wine cheese"))[:3] == ["both", "wine", "value"]


async def test_equal_ranks_are_newest_first(sink: RedisSink) -> None:
    """To the last digit of the version."""
    await sink.apply([store(f"k{n}", "wine", at=n / 1000) for n in (3, 1, 4, 15, 9, 2, 6)], NOW)
    assert await asking.search(sink, "wine") == [f"k{n}" for n in (15, 9, 6, 4, 3, 2, 1)]


async def test_updated_ranges_narrow_the_index(sink: RedisSink) -> None:
    """From inclusive, before exclusive, with and without a cursor's bound."""
    await sink.apply([store(f"k{n}", n, at=n) for n in range(9)], NOW)
    filters = {"updated_from": moment(2), "updated_before": moment(6)}
    assert await asking.keys(sink, filters=filters) == ["k5", "k4", "k3", "k2"]
    entries = await asking.walk(sink, limit=1, order="oldest", filters=filters)
    assert [entry.key for entry in entries] == ["k2", "k3", "k4", "k5"]


async def test_covered_and_expired_rows_do_not_end_a_page(sink: RedisSink) -> None:
    """A step of nothing but those is gone over."""
    await sink.apply([store("old", at=0)], NOW)
    gone = [store(f"x{n}", at=1 + n, namespace="gone") for n in range(1500)]
    due = [store(f"y{n}", at=2000 + n, expires_at=moment(5000)) for n in range(700)]
    await sink.apply([*gone, *due], moment(4000))
    await sink.apply([delete_namespace("gone", at=1600)], moment(4000))
    page = await sink.find(ListQuestion(user_id="u", limit=1), moment(5000))
    assert ([hit.entry.key for hit in page.hits], page.more) == (["old"], False)
