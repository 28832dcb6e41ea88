"""Namespaces by whole parts, and marks whose rows go in steps."""

from typing import Any

import pytest

from memlane.contracts.query import ListQuestion
from memlane.storage.conformance.commands import NOW, address, delete_namespace, forget, store
from memlane.storage.redis import RedisSink
from memlane.storage.redis.rows import user_hash

INSIDE = ["a", "a/b", "a/b/c", "a/ä", "a/0", "a/-", "a/ ", "a/\U0010ffff", "a/~/x"]
OUTSIDE = [
    "ab",
    "a b",
    "a-b",
    "a.b/c",
    "a0",
    "A",
    "ä",
    "b/a",
    "a\u0301",
    "default",
    "á/b",
    " ",
    "a ",
    "a\u00a0",
]


async def _keys(sink: RedisSink, namespace: str | None = None) -> set[str]:
    question = ListQuestion(user_id="u", namespace=namespace, limit=500)
    return {hit.entry.key for hit in (await sink.find(question, NOW)).hits}


async def _store_all(sink: RedisSink) -> None:
    await sink.apply([store(namespace, namespace=namespace) for namespace in [*INSIDE, *OUTSIDE]], NOW)


async def test_a_list_takes_whole_parts(sink: RedisSink) -> None:
    """`ab` is not below `a`."""
    await _store_all(sink)
    assert await _keys(sink, "a") == set(INSIDE)
    assert await _keys(sink, "a/b") == {"a/b", "a/b/c"}
    assert await _keys(sink) == {*INSIDE, *OUTSIDE}


@pytest.mark.parametrize("limit", [1, 3, 1000])
async def test_a_purge_takes_whole_parts(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """In steps of any size, and what is outside stays; between the two ranges lie `a b` and `a-b`."""
    monkeypatch.setattr("memlane.storage.redis.sink._PURGE_AT_ONCE", 0)
    await _store_all(sink)
    newer = [store(f"newer {n}", at=3, namespace="a/b") for n in range(3)]
    await sink.apply([delete_namespace("a", at=2), *newer], NOW)
    while (await sink.sweep(NOW, limit=limit)).more:
        pass
    assert await _keys(sink) == {*OUTSIDE, *(command.key for command in newer)}
    assert (await sink.stats("u")).digest.count == len(OUTSIDE) + len(newer) + 1
    assert await raw.zcard(f"{prefix}:purging") == 0


@pytest.mark.parametrize(
    "scope", [delete_namespace("n", at=5000), forget(at=5000)], ids=["namespace", "user"]
)
async def test_many_rows_go_in_steps_while_newer_ones_come(sink: RedisSink, scope: Any) -> None:
    """The mark holds at once. What is newer stays, wherever it stands; what is older does not get in."""
    await sink.apply([store(f"k{n:04}", n, at=n, namespace=f"n/{n % 7}") for n in range(2100)], NOW)
    await sink.apply([scope], NOW)
    assert await _keys(sink) == set()
    expected = set()
    report = await sink.sweep(NOW, limit=100)
    step = 0
    while report.more:
        step += 1
        assert report.purged <= 100
        late = store(f"k{step:04}", "late", at=step, namespace=f"n/{step % 7}")
        new = store(f"k{step * 7:04}", "new", at=6000 + step, namespace=f"n/{step * 7 % 7}")
        outcomes = await sink.apply([late, new], NOW)
        assert [outcome.decision for outcome in outcomes] == ["superseded", "applied"]
        expected.add(new.key)
        report = await sink.sweep(NOW, limit=100)
    assert step >= 10
    assert await _keys(sink) == expected
    assert (await sink.stats("u")).digest.count == len(expected) + 1


async def test_another_process_goes_on_where_one_stopped(
    sink: RedisSink, open_sink: Any, raw: Any, prefix: str
) -> None:
    """How far a purge has come is kept with its mark."""
    await sink.apply([store(f"k{n:04}", n, at=n % 3, namespace="a/b") for n in range(2600)], NOW)
    await sink.apply([delete_namespace("a", at=1)], NOW)
    other = await open_sink()
    looked_at = 1000
    while (await (sink if looked_at % 200 else other).sweep(NOW, limit=100)).more:
        looked_at += 100
    assert looked_at < 2800, "no row is looked at twice"
    assert (await sink.stats("u")).live == len([n for n in range(2600) if n % 3 == 2])
    assert await raw.zcard(f"{prefix}:purging") == 0


async def test_a_mark_above_one_that_is_still_purging(sink: RedisSink, raw: Any, prefix: str) -> None:
    """Takes its work over; nothing is left behind."""
    await sink.apply([store(f"k{n:04}", n, namespace="a/b/c") for n in range(1500)], NOW)
    await sink.apply([delete_namespace("a/b", at=2)], NOW)
    await sink.apply([delete_namespace("a", at=3), store("new", at=4, namespace="a/b")], NOW)
    while (await sink.sweep(NOW, limit=50)).more:
        pass
    assert await _keys(sink) == {"new"}
    stats = await sink.stats("u")
    assert (stats.live, stats.marks, stats.digest.count) == (1, 1, 2)
    assert await raw.zcard(f"{prefix}:addresses:{user_hash('u')}") == 1


async def test_a_covered_row_is_gone_at_the_marks_version(sink: RedisSink) -> None:
    """Before its turn to be removed."""
    await sink.apply([store(f"k{n:04}", n, namespace="z") for n in range(1500)], NOW)
    mark = forget(at=2)
    await sink.apply([mark], NOW)
    fetched = (await sink.fetch([address("k1499", namespace="z")], NOW))[0]
    assert (fetched.state, fetched.version) == ("gone", mark.id)
