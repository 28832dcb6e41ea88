"""A get is answered by the preferred sink, and by the next where that one can't say."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from memlane.client import Address, IncompleteAnswer, MemoryClient
from memlane.storage.memory import FailingSink, MemorySink
from memlane.workers.aggregator.asking import FAILURES_TO_AVOID
from tests.integration.aggregator.conftest import Put
from tests.integration.conftest import StartSystem
from tests.support.commands import delete, store, version
from tests.support.system import AGGREGATOR, RESPONDER, System
from tests.support.waiting import wait_until

AT = Address("u", "default", "k")


async def test_the_preferred_sink_answers_alone(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Nobody else is asked, and the answer says so."""
    await put(first, store(value="here"))
    answer = await client.get_answer(AT)
    assert answer.entry is not None
    assert answer.entry.value == "here"
    assert {name: said.status for name, said in answer.sinks.items()} == {"first": "ok", "second": "skipped"}
    assert answer.complete
    assert second.calls["fetch"] == 0


async def test_a_sink_that_is_down_is_passed_over(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """The next one answers; why the first one did not is in the answer."""
    await put(second, store(value="there"))
    first.go_down("gone fishing")
    answer = await client.get_answer(AT)
    assert answer.entry is not None
    assert answer.entry.value == "there"
    assert answer.sinks["first"].status == "unavailable"
    assert "gone fishing" in str(answer.sinks["first"].reason)


async def test_a_sink_that_breaks_is_passed_over(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Any error counts: its kind is told, not its text, which may hold a value."""
    await put(second, store())
    first.fail("fetch", error=ZeroDivisionError("a secret"))
    answer = await client.get_answer(AT)
    assert answer.state == "entry"
    assert answer.sinks["first"].reason == "ZeroDivisionError"


async def test_a_slow_sink_is_not_waited_for_long(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """After `hedge_after` the next one is asked, too, and whoever answers first is taken."""
    await put(first, store(value="slow"))
    await put(second, store(value="quick"))
    first.hang()
    started = asyncio.get_running_loop().time()
    answer = await client.get_answer(AT)
    assert answer.entry is not None
    assert answer.entry.value == "quick"
    assert 0.09 < asyncio.get_running_loop().time() - started < 0.6
    assert answer.sinks["first"].status == "timeout"
    first.heal()


async def test_a_slow_sink_still_answers_where_nobody_else_can(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """It was not given up when the next one was asked."""
    await put(first, store(value="slow"))
    first.slow(timedelta(milliseconds=300), "fetch")
    second.go_down()
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.value == "slow"


async def test_who_has_no_trace_of_it_does_not_answer_for_the_others(
    client: MemoryClient, second: FailingSink, put: Put
) -> None:
    """A cache that was emptied knows nothing: the next sink is asked."""
    await put(second, store(value="there"))
    answer = await client.get_answer(AT)
    assert answer.entry is not None
    assert (answer.entry.value, answer.complete) == ("there", True)
    assert {name: said.status for name, said in answer.sinks.items()} == {"first": "ok", "second": "ok"}


async def test_what_is_known_to_be_gone_is_gone(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """A tombstone answers: a sink that lags is not asked whether it still has the entry."""
    stored = store()
    await put(second, stored)
    await put(first, stored, delete())
    answer = await client.get_answer(AT)
    assert (answer.state, answer.entry, answer.complete) == ("gone", None, True)
    assert second.calls["fetch"] == 0


async def test_not_found_rests_on_all_sinks(client: MemoryClient) -> None:
    """Nobody has a trace of it, and everybody was asked."""
    answer = await client.get_answer(AT)
    assert (answer.state, answer.complete) == ("unknown", True)
    assert await client.get("u", "k") is None


async def test_not_found_is_not_said_while_somebody_is_missing(
    client: MemoryClient, second: FailingSink
) -> None:
    """An emptied cache beside a store that is down: nobody could say, and that is what is raised."""
    second.go_down()
    with pytest.raises(IncompleteAnswer, match="second: unavailable"):
        await client.get("u", "k")


async def test_nobody_could_say(client: MemoryClient, first: FailingSink, second: FailingSink) -> None:
    """Where all sinks are down, a get names them."""
    first.go_down()
    second.go_down()
    with pytest.raises(IncompleteAnswer, match="first: unavailable, second: unavailable"):
        await client.get("u", "k")


async def test_asking_all_takes_the_newest(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """The preferred sink lags: by default its older entry is the answer, asked for all it is not."""
    await put(first, store(value="older"))
    await put(second, store(value="newer"))
    found = [await client.get("u", "k", consistency=consistency) for consistency in ("first", "all")]
    assert [entry.value for entry in found if entry] == ["older", "newer"]


async def test_asking_all_is_incomplete_where_one_is_missing(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """It may be the one with the newest version."""
    await put(first, store())
    second.go_down()
    answer = await client.get_answer(AT, consistency="all")
    assert (answer.state, answer.complete) == ("entry", False)


async def test_asking_all_knows_what_any_sink_knows_to_be_gone(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """A delete that one sink has not applied yet counts."""
    stored = store()
    await put(first, stored)
    await put(second, stored, delete())
    assert await client.get("u", "k", consistency="all") is None


async def test_what_has_expired_is_not_returned(client: MemoryClient, first: FailingSink, put: Put) -> None:
    """Swept or not."""
    await put(first, store(expires_at=datetime.now(UTC) + timedelta(milliseconds=150)))
    assert await client.get("u", "k") is not None

    async def is_gone() -> bool:
        return await client.get("u", "k") is None

    await wait_until(is_gone, "it has expired")
    assert (await client.get_answer(AT)).state == "gone"
    assert (await first.stats("u")).live == 1


async def test_what_a_sink_refused_comes_from_another(
    start_system: StartSystem, second: FailingSink, put: Put, local: bool
) -> None:
    """It knows of the version but can't serve it."""
    small = FailingSink(MemorySink(name="first", max_value_bytes=3))
    system = await start_system(small, second, roles=[RESPONDER, AGGREGATOR], local=local)
    command = store(value="large")
    await put(small, command)
    await put(second, command)
    async with system.client() as client:
        entry = await client.get("u", "k")
        assert entry is not None
        assert entry.value == "large"
        second.go_down()
        with pytest.raises(IncompleteAnswer):
            await client.get("u", "k")


async def test_many_gets_are_answered_in_their_order(
    system: System, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Each from the sink that knows, whatever the others in its message need."""
    await put(first, *(store(f"k{n}", n) for n in range(0, 300, 2)))
    await put(second, *(store(f"k{n}", n) for n in range(0, 300, 3)))
    async with system.client() as client:
        found = await client.get_many("u", [f"k{n}" for n in range(300)])
    values = [entry.value if entry else None for entry in found.values()]
    assert values == [n if n % 2 == 0 or n % 3 == 0 else None for n in range(300)]
    assert first.calls["fetch"] < 20


async def test_an_own_write_is_waited_for(
    client: MemoryClient, system: System, first: FailingSink, put: Put
) -> None:
    """An answer older than what the asker wrote counts as none, until the lane has come so far."""
    await put(first, store(value="older"))
    newer = store(value="newer")
    client._recent.wrote(newer.id, "u", "default", "k")
    asked = asyncio.create_task(client.get("u", "k"))
    await wait_until(lambda: first.calls["fetch"] >= 2, "it was asked and asked again")
    assert not asked.done()
    await put(first, newer)
    entry = await asked
    assert entry is not None
    assert entry.value == "newer"
    assert system.aggregators[0].state.ready


async def test_an_own_write_that_nobody_has_is_not_answered_with_an_older_one(
    client: MemoryClient, first: FailingSink, put: Put
) -> None:
    """At the deadline, nobody could say."""
    await put(first, store(value="older"))
    client._recent.wrote(version(), "u", "default", "k")
    with pytest.raises(IncompleteAnswer, match="nobody could say"):
        await client.get("u", "k")


async def test_users_never_cross(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """The same address of another user is another address."""
    await put(first, store("secret", user="alice"))
    await put(second, store("secret", user="alice"))
    for user in ("bob", "alice ", "ALICE", "alic", "alice\u200b", "*", "%", "alice:default"):
        assert await client.get(user, "secret", consistency="all") is None
        assert (await client.list(user)).hits == []
        assert (await client.search(user, "secret")).hits == []
        stats = await client.stats(user)
        assert [said.stats.live for said in stats.sinks.values() if said.stats] == [0, 0]


async def test_answers_that_are_too_much_for_one_message_come_in_several(
    system: System, first: FailingSink, put: Put
) -> None:
    """Twenty entries of nearly a megabyte each: more than a broker takes at once."""
    value = "x" * 1_000_000
    await put(first, *(store(f"k{n}", f"{n}{value}") for n in range(20)))
    async with system.client(deadline="PT20S") as client:
        entries = await client.get_many("u", [f"k{n}" for n in range(20)])
    assert [entry.value[:2].rstrip("x") for entry in entries.values() if entry] == [str(n) for n in range(20)]


async def test_a_sink_that_is_only_slow_is_asked_last_for_gets_and_still_takes_part_in_lists(
    client: MemoryClient, first: FailingSink, second: FailingSink, put: Put
) -> None:
    """Others were quicker three times: now those are asked first, and no list is less complete for it."""
    await put(first, store(value="slow"))
    await put(second, store(value="quick"))
    first.slow(timedelta(milliseconds=200), "fetch")
    second.slow(timedelta(milliseconds=20), "fetch")
    for _ in range(FAILURES_TO_AVOID):
        assert (await client.get_answer(AT)).sinks["first"].status == "timeout"
    assert (await client.list("u")).complete
    answer = await client.get_answer(AT)
    assert {name: said.status for name, said in answer.sinks.items()} == {"first": "skipped", "second": "ok"}
