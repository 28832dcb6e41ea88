"""What happens in the demo, in order. Every chapter says what it did, and checks it."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

from memlane.client import Address, MemoryClient
from memlane.producers.cli.formatting import count_of, shortened, text_of
from memlane.storage.sink import Sink
from memlane.testing.demo.errors import DemoError
from memlane.testing.demo.holdings import Holding, holding_of, holding_of_mcp
from memlane.testing.demo.page import Page
from memlane.testing.demo.source import Expected, word_to_search
from memlane.testing.demo.system import MCP, Place, run_command

WRITES: Final = 100
"""How often a value is stored and read back at once."""

GETS_AT_ONCE: Final = 500
AS_OF: Final = "2024-01-01T00:00:00Z"
"""What the imported lines are from, as they don't say it themselves."""

_MARKER: Final = Address("demo", "default", "marker")
_COUNTER: Final = Address("demo", "default", "counter")
_SHOWN: Final = 4


@dataclass(frozen=True, kw_only=True)
class Story:
    """The chapters, and what they share.

    Attributes:
        page: where it is written.
        place: where memlane's data is.
        memory: a client, which knows nothing but the broker.
        sinks: the stores themselves, for looking behind the scenes.
        data: what is imported.
        expected: what every sink must hold by now.
    """

    page: Page
    place: Place
    memory: MemoryClient
    sinks: Sequence[Sink]
    data: Path
    expected: Expected

    async def tell(self) -> None:
        """All of it.

        Raises:
            DemoError: it can't go on.
        """
        self.page.section(f"Import {self.data.name}")
        await self._import()
        await self._compare()
        self.page.section("Ask: one question, one answer")
        await self._get()
        await self._search()
        self.page.section("Read your own writes")
        await self._read_own_writes()
        self.page.section("Forget")
        await self._forget()
        self.page.section("Import the same once more: what was deleted stays deleted")
        await self._import()
        await self._compare()

    async def _import(self) -> None:
        arguments = ["import", "jsonl", str(self.data.absolute()), "--as-of", AS_OF]
        done = await asyncio.to_thread(run_command, arguments, self.place.environment())
        if done.returncode:
            raise DemoError(f"`memlane import` ended with exit code {done.returncode}")
        self.page.say(done.stdout.strip())
        with self.page.timed() as watch:
            await self._settle()
        self.page.say(f"decided by all sinks {watch} later")

    async def _settle(self) -> None:
        """Returns when every command before is decided in all sinks: a lane keeps the order of its queue."""
        receipt = await self.memory.delete(_MARKER.user_id, _MARKER.key, wait="all")
        if receipt.pending or not receipt.sinks:
            raise DemoError(f"still not decided by: {', '.join(sorted(receipt.pending)) or 'any sink'}")

    async def _compare(self) -> None:
        """All stores, read directly: every address, and the digests."""
        held = [await holding_of(sink, self.expected) for sink in self.sinks]
        mcp = (await self.memory.stats()).sinks.get(MCP)
        if mcp is not None and mcp.stats is not None:
            held.append(holding_of_mcp(self.place.mcp_dir, mcp.stats, self.expected))
        rows = [_row(holding) for holding in held]
        self.page.table(("sink", "live", "deleted", "marks", "last values right", "count : digest"), rows)
        everything = len(self.expected.values)
        for holding in held:
            said = f"{holding.sink}: every one of {everything:,} addresses holds its last value"
            self.page.check(not holding.wrong and holding.stats.live == everything, said)
            if self.expected.gone:
                said = f"{holding.sink}: none of {len(self.expected.gone):,} deleted addresses came back"
                self.page.check(not holding.returned, said)
        self.page.check(len({holding.digest for holding in held}) == 1, "all sinks hold the same")

    async def _get(self) -> None:
        user = self.expected.users[0]
        known = self.expected.of_user(user)
        rows = []
        for address in list(known)[:_SHOWN]:
            with self.page.timed() as watch:
                entry = await self.memory.get(user, address.key, namespace=address.namespace)
            rows.append(
                (str(address), "" if entry is None else shortened(text_of(entry.value), 40), str(watch))
            )
        self.page.table(("get", "answer", "took"), rows)
        await self._get_many()

    async def _get_many(self) -> None:
        wanted = dict(list(self.expected.values.items())[:GETS_AT_ONCE])
        with self.page.timed() as watch:
            found = await asyncio.gather(
                *(self.memory.get(one.user_id, one.key, namespace=one.namespace) for one in wanted)
            )
        right = sum(entry is not None and entry.value == wanted[entry.address] for entry in found)
        self.page.check(
            right == len(wanted), f"{right:,} of {len(wanted):,} gets at once are right, in {watch}"
        )

    async def _search(self) -> None:
        rows, right = [], 0
        users = self.expected.users[:_SHOWN]
        for user in users:
            address, word = word_to_search(self.expected.of_user(user))
            with self.page.timed() as watch:
                found = await self.memory.search(user, word, limit=20)
            best = found.hits[0].entry if found.hits else None
            answer = "" if best is None else shortened(f"{best.key}: {text_of(best.value)}", 40)
            rows.append((f"{user}: {word}", answer, str(len(found.hits)), str(watch)))
            right += found.complete and any(hit.entry.address == address for hit in found.hits)
        self.page.table(("search", "best answer", "hits", "took"), rows)
        text = f"{right} of {len(users)} searches found what the word was taken from, with all sinks' answers"
        self.page.check(right == len(users), text)

    async def _read_own_writes(self) -> None:
        right, took = 0, []
        for number in range(WRITES):
            started = time.perf_counter()
            await self.memory.store(_COUNTER.user_id, _COUNTER.key, number)
            entry = await self.memory.get(_COUNTER.user_id, _COUNTER.key)
            took.append(time.perf_counter() - started)
            right += entry is not None and entry.value == number
        self.expected.values[_COUNTER] = WRITES - 1
        text = f"{right} of {WRITES} values were read back right after they were stored"
        self.page.check(right == WRITES, f"{text}, both in {median(took) * 1000:.1f} ms (median)")

    async def _forget(self) -> None:
        user, other = self.expected.users[1:3]
        address = next(iter(self.expected.of_user(user)))
        await self.memory.delete(user, address.key, namespace=address.namespace, wait="all")
        self.expected.forget_address(address)
        gone = await self.memory.get(user, address.key, namespace=address.namespace) is None
        self.page.check(gone, f"an address: {address}: gone")

        top = self.expected.largest_namespace(user)
        await self.memory.delete_namespace(user, top, wait="all")
        count = self.expected.forget_namespace(user, top)
        left = (await self.memory.list(user, namespace=top)).hits
        self.page.check(not left, f"a namespace: {_entries(count)} of {user} in {top} and below: gone")

        await self.memory.forget(other, wait="all")
        count = self.expected.forget_user(other)
        left = (await self.memory.list(other)).hits
        self.page.check(not left, f"a user: {_entries(count)} of {other}: gone")


def _entries(count: int) -> str:
    return count_of(count, "entry", "entries")


def _row(holding: Holding) -> tuple[str, ...]:
    stats = holding.stats
    counts = (stats.live, stats.deleted, stats.marks, holding.right)
    return (holding.sink, *(f"{count:,}" for count in counts), holding.digest.replace(":", " : "))
