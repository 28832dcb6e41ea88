"""Lists and searches rest on all sinks, merged; what any of them knows to be gone is dropped."""

import asyncio
from datetime import UTC, datetime, timedelta

from memlane.client import Cursor, MemoryClient
from memlane.contracts.reply import PageAnswer
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import FailingSink
from tests.integration.aggregator.conftest import Put, keys
from tests.support.commands import delete, delete_namespace, forget, store
from tests.support.waiting import wait_until


def statuses(answer: PageAnswer) -> dict[str, str]:
    """How each sink took part."""
    return {name: said.status for name, said in answer.sinks.items()}


async def test_a_list_merges_what_the_sinks_hold(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """By address the newest version, in order of time; each sink's part in it is told."""
    a, b, c = store("a", 1), store("b", 1), store("c", 1)
    newer = store("b", 2)
    await put(first, a, b)
    await put(second, newer, c, b)
    page = await client.list("u")
    assert keys(page.hits) == ["b", "c", "a"]
    assert page.hits[0].entry.value == 2
    assert (page.complete, page.cursor) == (True, None)
    assert {name: said.hits for name, said in page.sinks.items()} == {"first": 2, "second": 2}


async def test_a_walk_over_two_sinks_misses_nothing_and_says_nothing_twice(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Page by page, in either order, whatever each sink holds of it."""
    commands = [store(f"k{n}", n) for n in range(50)]
    await put(first, *(command for n, command in enumerate(commands) if n % 2 == 0 or n > 40))
    await put(second, *(command for n, command in enumerate(commands) if n % 3 == 0 or n % 2 == 1))
    for order in ("newest", "oldest"):
        walked: list[str] = []
        cursor: Cursor | None = None
        while True:
            page = await client.list("u", limit=7, cursor=cursor, order=order)
            assert page.complete
            walked += keys(page.hits)
            if (cursor := page.cursor) is None:
                break
        expected = [f"k{n}" for n in range(50)]
        assert walked == (expected if order == "oldest" else expected[::-1])


async def test_a_search_finds_what_any_sink_has(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """What both rank high comes first."""
    both = store("both", "blue whales sing")
    await put(first, both, store("one", "a blue car and a lot of other words about it"))
    await put(second, both, store("two", "blue and green and red and a lot of other words"))
    answer = await client.search("u", "blue")
    assert keys(answer.hits)[0] == "both"
    assert sorted(keys(answer.hits)) == ["both", "one", "two"]
    assert answer.complete


async def test_an_empty_search_lists_the_newest(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """There is no cursor to a search."""
    a, b, c = store("a"), store("b"), store("c")
    await put(first, a, c)
    await put(second, b)
    answer = await client.search("u", " \t", limit=2)
    assert keys(answer.hits) == ["c", "b"]
    assert answer.cursor is None


async def test_a_sink_that_hangs_is_missing_at_the_deadline(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """The answer comes in time with what the others have, and says that it is not complete."""
    await put(first, store("a"))
    second.hang()
    started = asyncio.get_running_loop().time()
    answer = await client.list("u")
    assert asyncio.get_running_loop().time() - started < 1
    assert keys(answer.hits) == ["a"]
    assert (answer.complete, statuses(answer)) == (False, {"first": "ok", "second": "timeout"})
    assert answer.sinks["second"].ms > 500
    second.heal()


async def test_a_sink_that_is_down_is_named(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """At once, and with the reason."""
    await put(second, store("a"))
    first.go_down("no disk")
    answer = await client.search("u", "value")
    assert keys(answer.hits) == ["a"]
    assert (answer.complete, statuses(answer)) == (False, {"first": "unavailable", "second": "ok"})
    assert "no disk" in str(answer.sinks["first"].reason)


async def test_a_hit_that_another_sink_knows_to_be_gone_is_dropped(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Whatever kind of delete it was, and although that sink has no hit to say so with."""
    a, b, c, d = store("a"), store("b", namespace="x/y"), store("c"), store("d")
    await put(first, a, b, c, d)
    await put(second, a, b, c, d, delete("a"), delete_namespace("x"), store("c", "something else"))
    listed = await client.list("u")
    assert sorted(keys(listed.hits)) == ["c", "d"]
    found = await client.search("u", "value")
    assert sorted(keys(found.hits)) == ["d"]
    assert listed.complete
    assert found.complete
    await put(second, forget())
    assert (await client.search("u", "value")).hits == []


async def test_agreeing_sinks_are_asked_once(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Equal digests need no confirmation."""
    commands = [store(f"k{n}") for n in range(20)]
    await put(first, *commands)
    await put(second, *reversed(commands))
    assert len((await client.list("u", limit=5)).hits) == 5
    assert (first.calls["fetch"], second.calls["fetch"]) == (0, 0)


async def test_who_can_not_confirm_makes_it_incomplete(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """It answered, and then went away: whether a hit is gone there nobody knows."""
    await put(first, store("a"))
    await put(second, store("b"))
    second.fail("fetch", error=SinkUnavailable("gone again"))
    answer = await client.list("u")
    assert sorted(keys(answer.hits)) == ["a", "b"]
    assert not answer.complete
    assert statuses(answer) == {"first": "ok", "second": "unavailable"}


async def test_confirming_ends_with_the_deadline(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """A sink that is slow to confirm does not make the answer late."""
    await put(first, store("a"))
    await put(second, store("b"))
    second.slow(timedelta(seconds=5), "fetch")
    started = asyncio.get_running_loop().time()
    answer = await client.list("u")
    assert asyncio.get_running_loop().time() - started < 1
    assert (answer.complete, statuses(answer)["second"]) == (False, "timeout")


async def test_what_has_expired_is_in_no_page(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """One instant counts for all sinks."""
    soon = store("soon", expires_at=datetime.now(UTC) + timedelta(milliseconds=150))
    await put(first, soon, store("later"))
    await put(second, soon)

    async def is_gone() -> bool:
        return keys((await client.list("u")).hits) == ["later"]

    assert sorted(keys((await client.search("u", "value")).hits)) == ["later", "soon"]
    await wait_until(is_gone, "it has expired")
    assert keys((await client.search("u", "value")).hits) == ["later"]


async def test_stats_are_told_by_sink(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """What each holds, of a user or in all; who is missing is named, and makes it incomplete."""
    await put(first, store("a"), store("b"), delete("b"), store("c", user="v"))
    second.go_down()
    of_user, of_all = await client.stats("u"), await client.stats()
    assert not of_user.complete
    assert of_user.sinks["second"].status == "unavailable"
    assert of_user.sinks["second"].stats is None
    told = [answer.sinks["first"].stats for answer in (of_user, of_all)]
    assert [(stats.live, stats.deleted) for stats in told if stats] == [(1, 1), (2, 1)]
