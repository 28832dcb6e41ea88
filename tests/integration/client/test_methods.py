"""What a bot can do with a client, on a whole memlane."""

from datetime import UTC, datetime, timedelta

from memlane.client import Filters, MemoryClient
from memlane.storage.memory import FailingSink
from tests.support.waiting import wait_until

HOUR = timedelta(hours=1)


async def test_what_is_stored_comes_back(client: MemoryClient) -> None:
    """With everything that was said about it."""
    created = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
    expires = datetime.now(UTC) + HOUR
    value = {"text": "naïve 🙂", "empty": [], "big": 2**70, "small": 1e-300, "none": None}
    receipt = await client.store(
        "u",
        "plan",
        value,
        namespace="work/today",
        tags=["b", "a", "b"],
        importance=9,
        session_id="s",
        project_id="p",
        metadata={"source": "chat"},
        created_at=created,
        expires_at=expires,
    )
    entry = await client.get("u", "plan", namespace="work/today")
    assert entry is not None
    assert (entry.user_id, entry.namespace, entry.key) == ("u", "work/today", "plan")
    assert (entry.value, entry.tags, entry.importance) == (value, ("a", "b"), 9)
    assert (entry.session_id, entry.project_id, entry.metadata) == ("s", "p", {"source": "chat"})
    assert (entry.created_at, entry.expires_at, entry.version) == (created, expires, receipt.version)
    assert receipt.confirmed


async def test_the_last_of_several_stores_counts(client: MemoryClient) -> None:
    """In the order of the calls."""
    for n in range(5):
        await client.store("u", "k", n)
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.value == 4


async def test_what_is_deleted_is_gone_and_can_come_back(client: MemoryClient) -> None:
    """A newer store takes effect."""
    await client.store("u", "k", 1)
    await client.delete("u", "k")
    assert await client.get("u", "k") is None
    await client.store("u", "k", 2)
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.value == 2


async def test_a_namespace_is_deleted_with_all_below_it(client: MemoryClient) -> None:
    """And nothing beside it, however similar its name."""
    for namespace in ("a", "a/b", "ab", "A", "default"):
        await client.store("u", "k", 1, namespace=namespace)
    await client.delete_namespace("u", "a", wait="all")
    found = {n: await client.get("u", "k", namespace=n) for n in ("a", "a/b", "ab", "A", "default")}
    assert {name for name, entry in found.items() if entry} == {"ab", "A", "default"}


async def test_a_user_is_forgotten(client: MemoryClient) -> None:
    """With everything, and nobody else is."""
    for user in ("u", "v"):
        await client.store_many(user, {"a": 1, "b": 2}, namespace="x/y", wait="all")
    await client.forget("u", wait="all")
    assert await client.get_many("u", ["a", "b"], namespace="x/y") == {"a": None, "b": None}
    assert (await client.list("u")).hits == []
    assert len((await client.list("v")).hits) == 2


async def test_many_are_stored_and_found_together(client: MemoryClient, first: FailingSink) -> None:
    """A receipt each, in their order; few messages."""
    values = {f"k{n}": n for n in range(1200)}
    receipts = await client.store_many("u", values, wait="all")
    assert [receipt.applied for receipt in receipts] == [{"first", "second"}] * 1200
    assert [one.version for one in receipts] == sorted(one.version for one in receipts)
    found = await client.get_many("u", [*values, "missing"])
    assert {key: entry.value for key, entry in found.items() if entry} == values
    assert found["missing"] is None
    assert len(first.batches) <= 6


async def test_all_entries_are_iterated_over(client: MemoryClient) -> None:
    """However many pages that takes, each once, in either order."""
    await client.store_many("u", {f"k{n}": n for n in range(1100)}, wait="all")
    newest = [entry.value async for entry in client.iterate("u")]
    oldest = [entry.value async for entry in client.iterate("u", order="oldest")]
    assert newest == list(range(1099, -1, -1))
    assert oldest == list(range(1100))


async def test_iterating_goes_by_namespace_and_filters(client: MemoryClient) -> None:
    """Like a list."""
    await client.store("u", "a", 1, namespace="x/y", tags=["t"], wait="all")
    await client.store("u", "b", 1, namespace="x", wait="all")
    await client.store("u", "c", 1, tags=["t"], wait="all")
    found = [e.key async for e in client.iterate("u", namespace="x", filters=Filters(tags_any=("t",)))]
    assert found == ["a"]


async def test_pages_are_walked_by_cursor(client: MemoryClient) -> None:
    """The next page begins behind the last entry, whatever was stored since."""
    await client.store_many("u", {f"k{n}": n for n in range(5)}, wait="all")
    page = await client.list("u", limit=2)
    await client.store("u", "newer", 99, wait="all")
    assert page.cursor is not None
    following = await client.list("u", limit=10, cursor=page.cursor)
    assert [hit.entry.value for hit in page.hits + following.hits] == [4, 3, 2, 1, 0]
    assert following.cursor is None


async def test_what_a_person_types_is_found(client: MemoryClient) -> None:
    """By any of its words; best first; nothing of it is syntax."""
    await client.store("u", "color", "my favourite colour is blue", wait="all")
    await client.store("u", "pet", "a dog called Blue, who likes blue balls", wait="all")
    await client.store("u", "food", "soup", wait="all")
    answer = await client.search("u", 'blue "OR NEAR( favourite*')
    assert [hit.entry.key for hit in answer.hits] == ["color", "pet"]
    assert answer.complete
    assert [hit.entry.key for hit in (await client.search("u", limit=1)).hits] == ["food"]


async def test_time_to_live_counts_from_now(client: MemoryClient) -> None:
    """Afterwards the entry is gone from every answer."""
    await client.store("u", "k", 1, ttl=timedelta(milliseconds=300))
    entry = await client.get("u", "k")
    assert entry is not None
    assert entry.expires_at is not None
    assert timedelta(0) < entry.expires_at - datetime.now(UTC) < timedelta(seconds=1)

    async def is_gone() -> bool:
        return await client.get("u", "k") is None

    await wait_until(is_gone, "it has expired")
    assert (await client.list("u")).hits == []


async def test_stats_tell_what_each_sink_holds(client: MemoryClient) -> None:
    """Of a user, and of all."""
    await client.store("u", "a", 1, wait="all")
    await client.store("v", "a", 1, wait="all")
    await client.delete("u", "b", wait="all")
    answers = [await client.stats("u"), await client.stats()]
    told = [[said.stats for said in answer.sinks.values()] for answer in answers]
    assert [[(s.live, s.deleted) for s in one if s] for one in told] == [[(1, 1)] * 2, [(2, 1)] * 2]
    assert told[1][0] is not None
    assert told[1][1] is not None
    assert told[1][0].digest == told[1][1].digest


async def test_a_user_bound_client_has_the_same_methods(client: MemoryClient) -> None:
    """Without the first argument; nobody else's memory is touched."""
    alice = client.user("alice")
    await client.store("bob", "k", "his", wait="all")
    await alice.store("k", "hers", namespace="x", wait="all")
    await alice.store_many({"a": 1, "b": 2}, wait="all")
    entry = await alice.get("k", namespace="x")
    assert entry is not None
    assert entry.value == "hers"
    assert set(await alice.get_many(["a", "b"])) == {"a", "b"}
    assert len((await alice.list()).hits) == 3
    assert {e.key async for e in alice.iterate(namespace="x")} == {"k"}
    assert [hit.entry.key for hit in (await alice.search("hers")).hits] == ["k"]
    await alice.delete("a", wait="all")
    await alice.delete_namespace("x", wait="all")
    assert {hit.entry.key for hit in (await alice.list()).hits} == {"b"}
    assert [s.stats.deleted for s in (await alice.stats()).sinks.values() if s.stats] == [1, 1]
    await alice.forget(wait="all")
    assert (await alice.list()).hits == []
    assert len((await client.list("bob")).hits) == 1


async def test_health_is_told_from_the_first_moment(client: MemoryClient) -> None:
    """An open client is connected."""
    health = await client.health()
    assert (health.broker, health.sinks) == (True, {"first": "ok", "second": "ok"})
    assert health.healthy


async def test_health_names_who_is_away(client: MemoryClient, second: FailingSink) -> None:
    """Without raising."""
    second.go_down()
    health = await client.health()
    assert (health.healthy, health.sinks) == (False, {"first": "ok", "second": "unavailable"})
