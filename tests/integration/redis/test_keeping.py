"""What is kept in Redis, and under which names."""

import json
from typing import Any

import pytest
from redis.asyncio import Redis

from memlane.contracts.canonical import Json
from memlane.contracts.command import StoreCommand
from memlane.contracts.fingerprint import address_hash, bucket_of, command_hash
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.storage.conformance.commands import NOW, address, delete, delete_namespace, forget, moment, store
from memlane.storage.outcome import APPLIED
from memlane.storage.redis import RedisSink
from memlane.testing.servers import RedisServer

VALUES: list[Json] = [
    [],
    {},
    [[], {}, [{}], ""],
    "",
    None,
    True,
    0,
    -0.0,
    1e300,
    0.1 + 0.2,
    2**53 + 1,
    -(10**400),
    {"": {"a": [], "b": {}}},
    "\x00\x1f\x7f\u2028 \r\n\t\"\\'",
    "ß ŝ 漢字 🦊 \U0010ffff e\u0301",
    'a "quoted" \\u0041 text with [] and {}',
    "x" * 300_000,
    {"é": "\x1f", "list": [1, 1.0, "1", None, [], {}]},
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
async def test_a_value_comes_back_as_the_very_text(sink: RedisSink, value: Json) -> None:
    """Lua and Redis see bytes: `[]` stays `[]`, an integer of any size keeps its digits."""
    command = store("k", value, metadata={"m": value})
    await sink.apply([command], NOW)
    entry = (await sink.fetch([command.address], NOW))[0].entry
    assert entry is not None
    assert entry.value_json.encode() == command.value_json.encode()
    assert entry.metadata_json == command.metadata_json
    page = await sink.find(ListQuestion(user_id="u"), NOW)
    assert [hit.entry for hit in page.hits] == [entry]


async def test_a_values_bytes_are_kept_as_they_are(sink: RedisSink, raw: Any, prefix: str) -> None:
    """Canonical JSON, UTF-8, unescaped."""
    command = store("k", {"ü": [1, {}]})
    await sink.apply([command], NOW)
    assert await raw.hget(f"{prefix}:row:{address_hash(*command.address)}", "value") == '{"ü":[1,{}]}'


def _full() -> StoreCommand:
    return store(
        "secret-key",
        "secret value",
        user="secret-user",
        namespace="secret/namespace",
        tags=["secret-tag"],
        session="secret-session",
        project="secret-project",
        expires_at=moment(1e6),
    )


async def test_no_key_holds_a_users_text(sink: RedisSink, raw: Any, prefix: str) -> None:
    """Users, namespaces, keys, tags and words are in members and fields only."""
    await sink.apply(
        [_full(), delete_namespace("secret", at=1, user="secret-other"), forget("secret", at=1)], NOW
    )
    names = [name async for name in raw.scan_iter(f"{prefix}:*")]
    assert len(names) > 10
    assert [name for name in names if "secret" in name] == []


async def test_everything_of_a_forgotten_user_goes_but_the_mark(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """No index keeps a word of it."""
    command = _full()
    await sink.apply([command], NOW)
    await sink.apply([forget(command.user_id, at=2)], NOW)
    names = {name.split(":")[1] async for name in raw.scan_iter(f"{prefix}:*")}
    assert names == {"meta", "digests", "totals", "user", "marks", "bucket"}
    buckets = [await raw.scard(name) async for name in raw.scan_iter(f"{prefix}:bucket:*")]
    assert buckets == [1]
    page = await sink.find(SearchQuestion(user_id=command.user_id, text="secret"), NOW)
    assert page.hits == []


async def test_replacing_leaves_nothing_of_the_old_in_the_indexes(
    sink: RedisSink, raw: Any, prefix: str
) -> None:
    """A replaced word is not found, an expiry that is gone does not come."""
    await sink.apply([store("k", "old wine", at=1, expires_at=moment(50))], moment(2))
    await sink.apply([store("k", "new beer", at=2)], moment(3))
    assert (await sink.find(SearchQuestion(user_id="u", text="wine"), NOW)).hits == []
    assert len((await sink.find(SearchQuestion(user_id="u", text="beer"), NOW)).hits) == 1
    assert await raw.zcard(f"{prefix}:due") == 0
    assert (await sink.sweep(NOW)).expired == 0
    assert (await sink.fetch([address()], NOW))[0].state == "entry"


async def test_rows_have_no_native_ttl(sink: RedisSink, raw: Any, prefix: str) -> None:
    """A row that Redis dropped by itself would be missing from the digest."""
    await sink.apply([_full()], moment(2))
    assert {await raw.ttl(name) async for name in raw.scan_iter(f"{prefix}:*")} == {-1}


async def test_a_row_of_another_user_is_never_returned(sink: RedisSink, raw: Any, prefix: str) -> None:
    """Even where it stands in place of one's own."""
    mine = store("k", "wine")
    await sink.apply([mine], NOW)
    await raw.hset(f"{prefix}:row:{address_hash(*mine.address)}", "user_id", "somebody else")
    assert (await sink.fetch([mine.address], NOW))[0].state == "unknown"
    assert (await sink.find(ListQuestion(user_id="u"), NOW)).hits == []
    assert (await sink.find(SearchQuestion(user_id="u", text="wine"), NOW)).hits == []


async def test_a_refused_row_is_unknown_at_its_version(sink: RedisSink, raw: Any, prefix: str) -> None:
    """As another memlane may leave it; what was refused is refused again, a newer store takes its place."""
    command = store()
    await sink.apply([delete("k", at=1)], NOW)
    row = f"{prefix}:row:{address_hash(*command.address)}"
    await raw.hset(row, mapping={"kind": "4", "hash": command_hash(command)})
    fetched = (await sink.fetch([command.address], NOW))[0]
    assert (fetched.state, fetched.version) == ("unknown", command.id)
    assert [outcome.decision for outcome in await sink.apply([command], NOW)] == ["refused"]
    assert await sink.apply([store(at=2)], NOW) == [APPLIED]


async def test_users_in_one_batch_are_told_apart(sink: RedisSink, raw: Any, prefix: str) -> None:
    """A key that holds another user's name fails the batch."""
    await sink.apply([store()], NOW)
    await raw.hset(f"{prefix}:user:{address_hash('u')}", "user_id", "somebody else")
    with pytest.raises(Exception, match="another user"):
        await sink.apply([store("new")], NOW)


@pytest.mark.parametrize(
    ("field", "damaged"),
    [
        ("value", b'"other"'),
        ("value", b"\xff\xfe"),
        ("about", b"[]"),
        ("about", b"no JSON"),
        ("about", b"{}"),
    ],
)
async def test_damage_is_seen(
    sink: RedisSink, server: RedisServer, prefix: str, field: str, damaged: bytes
) -> None:
    """A row whose content does not give its hash is not intact."""
    commands = [store("good"), store("bad")]
    await sink.apply(commands, NOW)
    async with Redis.from_url(server.url) as binary:
        await binary.hset(f"{prefix}:row:{address_hash(*address('bad'))}", field, damaged)
    buckets = {bucket_of(address_hash(*command.address)) for command in commands}
    traces = [trace for bucket in buckets for trace in await sink.versions(bucket)]
    assert {trace.place[-1]: trace.intact for trace in traces} == {"good": True, "bad": False}


async def test_a_rows_content_is_readable_by_others(sink: RedisSink, raw: Any, prefix: str) -> None:
    """All of it is text, under names that say what it is."""
    command = store("k", "wine", tags=["b", "a"])
    await sink.apply([command], NOW)
    row = await raw.hgetall(f"{prefix}:row:{address_hash(*command.address)}")
    assert set(row) == {"version", "hash", "kind", "user_id", "namespace", "key", "value", "about", "terms"}
    assert json.loads(row["about"])[:3] == ["{}", ["a", "b"], 5]
