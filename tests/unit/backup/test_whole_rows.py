"""Rows that change while they are read: each is taken whole, and none is passed over."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import pytest

from memlane.contracts.address import Address
from memlane.contracts.codec import MAX_COMMAND_BYTES
from memlane.contracts.command import AnyCommand, DeleteUser, StoreCommand
from memlane.contracts.fingerprint import BUCKETS, command_hash
from memlane.contracts.instants import now
from memlane.contracts.query import AnySinkQuestion
from memlane.contracts.reply import Fetched, SinkReply
from memlane.storage.errors import SinkUnavailable
from memlane.storage.memory import MemorySink
from memlane.storage.rows import Kind
from memlane.workers.aggregator.asking import Asked, LocalAsker
from memlane.workers.backup.format import Record, Unread
from memlane.workers.backup.whole_rows import MAX_TRIES, WholeRows
from memlane.workers.sink_reader import SinkReader
from tests.support.commands import delete, forget, store

Change = Callable[[], Awaitable[object]]


class Changing(MemorySink):
    """A sink in which something changes right before rows are fetched.

    Attributes:
        changes: what, for each fetch in turn.
        lost: addresses whose content it can't give.
    """

    def __init__(self, name: str = "memory", max_value_bytes: int | None = None) -> None:
        super().__init__(name=name, max_value_bytes=max_value_bytes)
        self.changes: list[Change] = []
        self.lost: set[Address] = set()

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """Changes something first."""
        if self.changes:
            await self.changes.pop(0)()
        found = await super().fetch(addresses, as_of)
        return [
            Fetched(state="unknown") if address in self.lost else one
            for address, one in zip(addresses, found, strict=True)
        ]

    async def apply_now(self, *commands: AnyCommand) -> None:
        """Applies."""
        await self.apply(commands, now())


async def nobody(
    sink: str,
    questions: Sequence[AnySinkQuestion],  # noqa: ARG001
    as_of: datetime,  # noqa: ARG001
    seconds: float,  # noqa: ARG001
) -> Asked:
    """For sinks that are away."""
    return Asked(SinkReply(sink=sink, status="timeout"), 0.0)


async def rows(*sinks: MemorySink, away: Sequence[str] = ()) -> list[Record]:
    """All that the first one holds, with the help of the others."""
    reader = SinkReader(LocalAsker({sink.name: sink for sink in sinks}, nobody))
    found: list[Record] = []
    others = [*away, *(sink.name for sink in sinks[1:])]
    async for records in WholeRows(reader, sinks[0].name, others).read():
        found += records
    return found


@pytest.fixture
async def sink() -> Changing:
    """Open, and empty."""
    return await Changing().__aenter__()


async def test_a_row_that_was_replaced_is_taken_as_it_is_now(sink: Changing) -> None:
    """Not left out: it was there all the time."""
    await sink.apply_now(store("k", "older"), store("beside"))
    newer = store("k", "newer")
    sink.changes = [lambda: sink.apply_now(newer)]
    found = await rows(sink)
    assert len(found) == 2
    assert newer in found


async def test_a_row_that_was_deleted_is_a_delete(sink: Changing) -> None:
    """With its tombstone."""
    await sink.apply_now(store("k"))
    gone = delete("k")
    sink.changes = [lambda: sink.apply_now(gone)]
    assert await rows(sink) == [gone]


async def test_a_row_that_a_mark_covers_is_left_out(sink: Changing) -> None:
    """Whether it has been swept by then or not. Its mark is in it only if it was read later."""
    await sink.apply_now(store("k"), store("kept", user="v"))
    sink.changes = [lambda: sink.apply_now(forget())]
    found = await rows(sink)
    assert [record.user_id for record in found if not isinstance(record, DeleteUser)] == ["v"]
    await sink.apply_now(store("k", user="w"))
    await sink.apply_now(forget("w"))
    sink.changes = [lambda: sink.sweep(now())]
    assert {record.user_id for record in await rows(sink) if isinstance(record, DeleteUser)} == {"u", "w"}


async def test_a_row_that_never_stands_still_is_said_to_be_unread(sink: Changing) -> None:
    """After some tries. The others are not."""
    await sink.apply_now(store("hot", 0), store("still"))
    sink.changes = [lambda: sink.apply_now(store("hot", 1))] * (2 * MAX_TRIES)
    found = await rows(sink)
    assert sorted(type(record).__name__ for record in found) == ["StoreCommand", "Unread"]


async def test_a_row_whose_content_is_lost_comes_from_another_sink(sink: Changing) -> None:
    """From the first that has the very same; the sinks that are away are passed over."""
    command, other = store("k"), await Changing("other").__aenter__()
    await sink.apply_now(command)
    sink.lost = {command.address}
    (unread,) = await rows(sink, other, away=["redis"])
    assert isinstance(unread, Unread)
    assert (unread.id, unread.hash, unread.address) == (command.id, command_hash(command), command.address)
    await other.apply_now(store("k", "newer"))
    assert isinstance((await rows(sink, other))[0], Unread)
    other.wipe()
    await other.apply_now(command)
    assert await rows(sink, other, away=["redis"]) == [command]


async def test_what_the_sink_had_refused_comes_from_another() -> None:
    """It is too large for this one only."""
    small = await Changing("small", max_value_bytes=10).__aenter__()
    large = await Changing("large").__aenter__()
    command = store("k", "x" * 100)
    for one in (small, large):
        await one.apply_now(command)
    kinds = [trace.kind for bucket in range(BUCKETS) for trace in await small.versions(bucket)]
    assert kinds == [Kind.REFUSED]
    assert await rows(small, large) == [command]


async def test_a_command_that_no_message_could_carry_is_unread(sink: Changing) -> None:
    """As canonical JSON a value may be larger than it was on its way."""
    command = StoreCommand.model_construct(
        **{**vars(store("k")), "value_json": f'"{"x" * MAX_COMMAND_BYTES}"'}
    )
    await sink.apply_now(command)
    (found,) = await rows(sink)
    assert isinstance(found, Unread)


async def test_a_created_at_that_says_nothing_new_is_left_out(sink: Changing) -> None:
    """So that a command which just fits into a message still does."""
    command = store("k")
    await sink.apply_now(command)
    (found,) = await rows(sink)
    assert found == command


async def test_a_sink_that_goes_away_ends_it(sink: Changing) -> None:
    """Half of it is nothing."""
    await sink.apply_now(store("k"))

    async def leave() -> None:
        await sink.__aexit__(None, None, None)

    sink.changes = [leave]
    with pytest.raises(SinkUnavailable):
        await rows(sink)


async def test_all_buckets_are_read_in_their_order(sink: Changing) -> None:
    """Also where there are many rows."""
    commands = [store(f"k{number}") for number in range(1500)]
    await sink.apply_now(*commands)
    found = await rows(sink)
    assert {record.id for record in found} == {command.id for command in commands}
