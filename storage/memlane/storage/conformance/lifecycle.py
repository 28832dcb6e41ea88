"""Entering and leaving, and many calls at once."""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import timedelta

from memlane.contracts.command import AnyCommand
from memlane.contracts.fingerprint import digest_of, entry_hash
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.storage.conformance import asking
from memlane.storage.conformance.commands import NOW, USER, address, delete_namespace, store, version
from memlane.storage.sink import Sink


class Lifecycle:
    """A sink is used as an async context manager."""

    async def test_it_has_a_name_for_the_topology(self, sink: Sink) -> None:
        """Lower-case letters, digits and `-`."""
        assert sink.name
        assert set(sink.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")

    async def test_an_open_sink_is_healthy(self, sink: Sink) -> None:
        """Asked often, it only returns, and changes nothing."""
        before = (await sink.stats(None)).changes
        for _ in range(5):
            await sink.health()
        assert (await sink.stats(None)).changes == before

    async def test_leaving_twice_is_safe(self, sink: Sink) -> None:
        """And entering again goes on where it was: what was applied is there, in the same incarnation."""
        await asking.apply(sink, store(value="wine"))
        before = await sink.stats(None)
        await sink.__aexit__(None, None, None)
        await sink.__aexit__(None, None, None)
        await sink.__aenter__()
        assert await asking.value(sink, address()) == "wine"
        assert await asking.search(sink, "wine") == ["k"]
        after = await sink.stats(None)
        assert (after.incarnation, after.digest) == (before.incarnation, before.digest)
        assert after.changes >= before.changes


class Concurrency:
    """All methods may be called concurrently."""

    async def test_concurrent_batches_converge(self, sink: Sink) -> None:
        """Overlapping batches in any interleaving: at every address the newest version is left."""
        commands = [[store(f"k{n}", [at, n], at=at) for n in range(20)] for at in range(1, 9)]
        await asyncio.gather(*(sink.apply(batch, NOW) for batch in [*commands, *reversed(commands)]))
        fetched = await sink.fetch([address(f"k{n}") for n in range(20)], NOW)
        assert [found.entry and found.entry.value for found in fetched] == [[8, n] for n in range(20)]

    async def test_reads_and_writes_go_side_by_side(self, sink: Sink) -> None:
        """Every method at once, many times, and every answer is whole."""
        await asking.apply(sink, *(store(f"k{n}", "wine", at=1) for n in range(10)))
        lists = asyncio.gather(*(asking.keys(sink) for _ in range(10)))
        searches = asyncio.gather(*(asking.search(sink, "wine") for _ in range(10)))
        await asyncio.gather(
            *(sink.apply([store(f"k{n}", "red wine", at=2)], NOW) for n in range(10)),
            *(sink.fetch([address(f"k{n}") for n in range(10)], NOW) for _ in range(10)),
            *(sink.stats(USER) for _ in range(5)),
            *(sink.digests() for _ in range(5)),
            *(sink.sweep(NOW) for _ in range(5)),
            *(sink.versions(n) for n in range(5)),
            *(sink.health() for _ in range(5)),
        )
        for keys in await lists + await searches:
            assert sorted(keys) == [f"k{n}" for n in range(10)]

    async def test_a_pages_digest_is_of_the_same_snapshot(self, sink: Sink) -> None:
        """While others write: the digest that comes with a whole list is exactly that list's."""
        question = ListQuestion(user_id=USER, limit=500)

        async def write(number: int) -> None:
            for n in range(40):
                await sink.apply([store(f"{number} {n}"), store(f"{number} {n}b")], NOW)

        async def read() -> int:
            page = await sink.find(question, NOW)
            expected = digest_of(entry_hash(hit.entry) for hit in page.hits)
            assert (page.digest.count, page.digest.sum) == (expected.count, expected.sum)
            return expected.count

        writers = asyncio.gather(*map(write, range(3)))
        counts = [await read()]
        while not writers.done():
            counts.append(await read())
            await asyncio.sleep(0)
        await writers
        assert await read() == 240
        assert counts == sorted(counts)

    async def test_a_cancelled_batch_is_applied_whole_or_not_at_all(self, sink: Sink) -> None:
        """Whenever it is cancelled; and the sink goes on working."""
        for attempt in range(25):
            namespace = f"n{attempt}"
            batch = [store(f"k{n}", namespace=namespace) for n in range(20)]
            commands: list[AnyCommand] = [*batch, delete_namespace("gone", at=attempt + 2)]
            await _cancelled(sink.apply(commands, NOW), after=timedelta(microseconds=150 * attempt))
            assert len(await asking.keys(sink, namespace=namespace)) in {0, 20}
            assert (await sink.apply(batch, NOW))[0].decision == "applied"
            assert len(await asking.keys(sink, namespace=namespace)) == 20

    async def test_a_cancelled_read_holds_nothing_up(self, sink: Sink) -> None:
        """Whenever it is cancelled, as at a deadline: later reads see what was written since."""
        question = SearchQuestion(user_id=USER, text="wine")
        for attempt in range(1, 25):
            await _cancelled(sink.find(question, NOW), after=timedelta(microseconds=40 * attempt))
            await _cancelled(sink.stats(USER), after=timedelta(microseconds=20 * attempt))
            await _cancelled(sink.versions(0), after=timedelta(microseconds=20 * attempt))
            await _cancelled(sink.fetch([address()], NOW), after=timedelta(microseconds=20 * attempt))
            await asking.apply(sink, store(value=f"wine {attempt}", at=attempt))
            assert await asking.value(sink, address()) == f"wine {attempt}"
            assert [hit.entry.version for hit in (await sink.find(question, NOW)).hits] == [version(attempt)]
            assert (await sink.stats(USER)).live == 1


async def _cancelled(call: Coroutine[None, None, object], after: timedelta) -> None:
    """Lets a call run so long, then cancels it."""
    task = asyncio.create_task(call)
    await asyncio.wait({task}, timeout=after.total_seconds())
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
