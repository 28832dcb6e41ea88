"""Rows that somebody changed or removed: what is left of them in the indexes, and what comes in between."""

from typing import Any

import pytest

from memlane.contracts.fingerprint import address_hash, bucket_of, command_hash
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, address, delete_namespace, moment, store
from memlane.storage.damage import NO_HASH, OLDEST
from memlane.storage.outcome import SweepReport
from memlane.storage.redis import RedisSink, demoting, recounting
from memlane.storage.redis.client import Client
from memlane.storage.redis.tracing import Look, look_at_bucket
from tests.integration.redis.conftest import OpenSink

COMMAND = store("k", "red wine", at=2)
ROW = address_hash(*COMMAND.address)
BUCKET = bucket_of(ROW)


async def _members(raw: Any, prefix: str, a: str) -> list[str]:
    """The indexes that still name an address."""
    found = []
    async for name in raw.scan_iter(f"{prefix}:*"):
        kind = await raw.type(name)
        members = await raw.zrange(name, 0, -1) if kind == "zset" else []
        members += await raw.smembers(name) if kind == "set" else []
        if any(a in member for member in members):
            found.append(name.split(":")[1])
    return found


@pytest.mark.parametrize("step", [1, 3, 1000])
async def test_nothing_is_left_of_a_removed_row(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """When its bucket was recounted, in steps of any size; of the others everything is."""
    monkeypatch.setattr(recounting, "_STEP_MEMBERS", step)
    others = [store(f"k{n}", f"wine {n}", at=n, namespace=f"n{n}") for n in range(10)]
    await sink.apply([*others, COMMAND], NOW)
    await raw.delete(f"{prefix}:row:{ROW}")
    assert sorted(await _members(raw, prefix, ROW)) == ["addresses", "bucket", "recent", "terms"]
    assert (await sink.sweep(NOW, recount=BUCKET)).corrected
    assert await _members(raw, prefix, ROW) == []
    assert await asking.keys(sink) == [f"k{n}" for n in reversed(range(10))]
    assert len(await asking.search(sink, "wine")) == 10


async def test_what_was_to_expire_of_a_removed_row_goes_when_it_is_due(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """It holds nobody up until then."""
    await sink.apply([store("k", at=1, expires_at=moment(100))], moment(50))
    await raw.delete(f"{prefix}:row:{ROW}")
    assert (await sink.sweep(moment(200))).expired == 0
    assert await raw.zcard(f"{prefix}:due") == 0


async def test_an_older_version_of_a_removed_row_is_cleaned_too(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """A newer one took its place before the recount came."""
    await sink.apply([COMMAND], NOW)
    await raw.delete(f"{prefix}:row:{ROW}")
    await sink.apply([store("k", "beer", at=3)], NOW)
    await sink.sweep(NOW, recount=BUCKET)
    assert await raw.zcard(f"{prefix}:recent:{address_hash('u')}") == 1
    terms = await raw.zrange(f"{prefix}:terms:{address_hash('u')}", 0, -1)
    assert {term.split("\x1f")[0] for term in terms} == {"beer", "k", "default"}


async def test_a_row_that_changed_since_it_was_looked_at_is_left(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it was mended meanwhile, and has the very version and hash that it had."""
    await sink.apply([COMMAND], NOW)
    await raw.hset(f"{prefix}:row:{ROW}", "value", '"changed"')
    look = look_at_bucket

    async def mended_meanwhile(client: Client, bucket: int) -> list[Look]:
        looks = await look(client, bucket)
        await raw.hset(f"{prefix}:row:{ROW}", "value", COMMAND.value_json)
        return looks

    monkeypatch.setattr(demoting, "look_at_bucket", mended_meanwhile)
    await sink.sweep(NOW, recount=BUCKET)
    (trace,) = await asking.held(sink)
    assert (trace.version, trace.hash, trace.intact) == (COMMAND.id, command_hash(COMMAND), True)


async def test_a_row_that_was_removed_since_is_left(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it comes back."""
    await sink.apply([COMMAND], NOW)
    await raw.hset(f"{prefix}:row:{ROW}", "value", '"changed"')
    look = look_at_bucket

    async def removed_meanwhile(client: Client, bucket: int) -> list[Look]:
        looks = await look(client, bucket)
        await raw.delete(f"{prefix}:row:{ROW}")
        return looks

    monkeypatch.setattr(demoting, "look_at_bucket", removed_meanwhile)
    assert (await sink.sweep(NOW, recount=BUCKET)).corrected
    assert await asking.held(sink) == []


async def test_two_that_find_it_demote_it_once(
    sink: RedisSink, open_sink: OpenSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its digest and counts change once."""
    other = await open_sink()
    await sink.apply([COMMAND, store("other")], NOW)
    await raw.hset(f"{prefix}:row:{ROW}", "value", '"changed"')
    changes = (await sink.stats(None)).changes
    look = look_at_bucket

    async def the_other_is_quicker(client: Client, bucket: int) -> list[Look]:
        looks = await look(client, bucket)
        monkeypatch.setattr(demoting, "look_at_bucket", look)
        assert (await other.sweep(NOW, recount=bucket)).damaged == 1
        return looks

    monkeypatch.setattr(demoting, "look_at_bucket", the_other_is_quicker)
    assert await sink.sweep(NOW, recount=BUCKET) == SweepReport(damaged=1)
    assert (await sink.stats(None)).changes == changes + 1
    assert {trace.hash for trace in await asking.held(sink)} == {NO_HASH, command_hash(store("other"))}


@pytest.mark.parametrize(
    ("field", "damaged"),
    [
        ("value", "no JSON"),
        ("value", '"x","importance":9'),
        ("about", "[]"),
        ("about", "no JSON"),
        ("user_id", "somebody else"),
        ("key", "another"),
    ],
)
async def test_what_is_no_entry_is_not_served(
    sink: RedisSink, raw: Any, prefix: str, field: str, damaged: str
) -> None:
    """It would spoil the whole answer. Sent again, it is as it was, and nothing else is left of it."""
    await sink.apply([COMMAND, store("other")], NOW)
    before = await sink.digests()
    await raw.hset(f"{prefix}:row:{ROW}", field, damaged)
    assert await sink.sweep(NOW, recount=BUCKET) == SweepReport(damaged=1)
    assert await sink.sweep(NOW, recount=BUCKET) == SweepReport(damaged=1)
    assert await asking.keys(sink) == ["other"]
    assert await asking.search(sink, "wine") == []
    assert (await asking.state(sink, address()))[0] == "unknown"
    assert (await sink.stats("u")).refused == 1
    await sink.apply([COMMAND], NOW)
    assert await asking.keys(sink) == ["k", "other"]
    assert await asking.search(sink, "wine") == ["k"]
    assert await sink.digests() == before
    row = await raw.hgetall(f"{prefix}:row:{ROW}")
    assert set(row) == {"version", "hash", "kind", "user_id", "namespace", "key", "value", "about", "terms"}


async def test_what_takes_the_place_of_an_unreadable_row_leaves_nothing_of_it(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """A delete deletes what was kept of it."""
    await sink.apply([COMMAND], NOW)
    await raw.hset(f"{prefix}:row:{ROW}", "value", "secret, and no JSON")
    await sink.sweep(NOW, recount=BUCKET)
    assert await raw.hget(f"{prefix}:row:{ROW}", "version") == OLDEST
    await sink.apply([store("k", at=1, expires_at=moment(10))], NOW)
    row = await raw.hgetall(f"{prefix}:row:{ROW}")
    assert set(row) == {"version", "hash", "kind", "user_id", "namespace", "key"}


async def test_a_mark_that_somebody_changed_is_left_as_it_is(sink: RedisSink, raw: Any, prefix: str) -> None:
    """What was deleted stays deleted; it is only no source for others."""
    mark = delete_namespace("a", at=1)
    await sink.apply([mark], NOW)
    marks = f"{prefix}:marks:{address_hash('u')}"
    record = await raw.hget(marks, "a")
    await raw.hset(marks, "a", record[:36] + "f" * 32 + record[68:])
    bucket = bucket_of(address_hash("u", "a"))
    assert await sink.sweep(NOW, recount=bucket) == SweepReport(corrected=True)
    (trace,) = await asking.held(sink)
    assert (trace.version, trace.intact) == (mark.id, False)
