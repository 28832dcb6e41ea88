"""Digests and counts: exact, in step with the rows, and set right where they are not."""

from typing import Any

import pytest

from memlane.contracts.fingerprint import address_hash, bucket_of, command_hash, digest_of
from memlane.contracts.reply import DigestModel
from memlane.storage.conformance.commands import NOW, delete, delete_namespace, forget, store
from memlane.storage.redis import RedisSink, recounting
from memlane.storage.redis.client import Client
from memlane.storage.redis.rows import user_hash

ROWS = 20_000
"""So many weights of 40 bits come to more than 2^53, where a double stops being exact."""


async def test_sums_are_exact_beyond_a_double(sink: RedisSink) -> None:
    """In one batch, of one user; and again when half of it is replaced."""
    commands = [delete(f"k{n}", at=1) for n in range(ROWS)]
    expected = digest_of(map(command_hash, commands))
    assert expected.sum > 2**53
    await sink.apply(commands, NOW)
    assert (await sink.stats("u")).digest == DigestModel(count=ROWS, sum=expected.sum)
    newer = [delete(f"k{n}", at=2) for n in range(ROWS // 2)]
    await sink.apply(newer, NOW)
    expected = digest_of(map(command_hash, [*newer, *commands[ROWS // 2 :]]))
    stats = await sink.stats(None)
    assert stats.digest == DigestModel(count=ROWS, sum=expected.sum)
    assert sum(digest.sum for digest in await sink.digests()) == expected.sum


async def test_large_sums_go_down_to_nothing(sink: RedisSink) -> None:
    """What a mark takes is taken from the sums to the last unit."""
    await sink.apply([store(f"k{n}", n) for n in range(1500)], NOW)
    mark = forget(at=2)
    await sink.apply([mark], NOW)
    while (await sink.sweep(NOW)).more:
        pass
    expected = digest_of([command_hash(mark)])
    assert (await sink.stats("u")).digest == DigestModel(count=1, sum=expected.sum)
    digests = await sink.digests()
    assert [digest for digest in digests if digest.count or digest.sum] == [expected]


async def test_a_wrong_bucket_is_set_right(sink: RedisSink, raw: Any, prefix: str) -> None:
    """Once; then it is right."""
    command, mark = store("k"), delete_namespace("a", at=1)
    await sink.apply([command, mark], NOW)
    bucket = bucket_of(address_hash(*command.address))
    before = await sink.digests()
    assert not (await sink.sweep(NOW, recount=bucket)).corrected
    await raw.hset(f"{prefix}:digests", f"{bucket:03x}:sum", "7")
    changes = (await sink.stats(None)).changes
    assert (await sink.sweep(NOW, recount=bucket)).corrected
    assert await sink.digests() == before
    assert (await sink.stats(None)).changes == changes + 1
    assert not (await sink.sweep(NOW, recount=bucket)).corrected


@pytest.mark.parametrize("step", [1, 7, 1000])
async def test_a_row_that_somebody_removed_is_counted_out_everywhere(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """So that its repair makes the digests the same as everyone's again; in steps of any size."""
    monkeypatch.setattr(recounting, "_STEP_MEMBERS", step)
    commands = [store(f"k{n}", "wine", namespace=f"n{n}") for n in range(20)]
    mark = delete_namespace("a", at=1)
    await sink.apply([*commands, mark], NOW)
    before = await sink.stats("u"), await sink.digests()
    lost = commands[7]
    await raw.delete(f"{prefix}:row:{address_hash(*lost.address)}")
    assert (await sink.sweep(NOW, recount=bucket_of(address_hash(*lost.address)))).corrected
    left = digest_of(
        [*(command_hash(command) for command in commands if command is not lost), command_hash(mark)]
    )
    stats = await sink.stats("u")
    assert stats.digest == DigestModel(count=left.count, sum=left.sum)
    assert (stats.live, stats.marks, (await sink.stats(None)).live) == (19, 1, 19)
    await sink.apply([lost], NOW)
    after = await sink.stats("u"), await sink.digests()
    assert (after[0].digest, after[0].live, after[1]) == (before[0].digest, before[0].live, before[1])


async def test_a_user_who_is_written_to_is_counted_again(
    sink: RedisSink, raw: Any, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was added up counts only if nothing came in between."""
    commands = [store(f"k{n}") for n in range(5)]
    await sink.apply(commands, NOW)
    await raw.hset(f"{prefix}:user:{user_hash('u')}", mapping={"count": 77, "live": 77})
    bucket = bucket_of(address_hash(*commands[0].address))
    await raw.hset(f"{prefix}:digests", f"{bucket:03x}:count", 77)
    late = [store(f"late{n}") for n in range(2)]
    waiting, tally = list(late), recounting._tally

    async def disturbed(client: Client, user: str) -> tuple[list[int], list[int], list[str]]:
        found = await tally(client, user)
        if waiting:
            await sink.apply([waiting.pop()], NOW)
        return found

    monkeypatch.setattr(recounting, "_tally", disturbed)
    assert (await sink.sweep(NOW, recount=bucket)).corrected
    expected = digest_of(map(command_hash, [*commands, *late]))
    stats = await sink.stats("u")
    assert (stats.digest, stats.live) == (DigestModel(count=7, sum=expected.sum), 7)
