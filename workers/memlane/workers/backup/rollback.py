"""Back to what a backup holds, under new versions: `memlane backup restore --as-new`.

What is written after it began wins. So everything that it sends has a version of that one instant; only
where a version of a clock that runs ahead is in the way, one right behind that.
"""

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from memlane.contracts.address import Address
from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand, DeleteAddress, StoreCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fingerprint import BUCKETS, command_hash
from memlane.contracts.instants import from_microseconds, to_microseconds
from memlane.contracts.instants import now as wall_clock
from memlane.contracts.version import version_milliseconds
from memlane.storage.rows import Kind, Mark, Scope, Trace
from memlane.workers.backup.format import Record, Unread, bucket_of_record
from memlane.workers.backup.minting import Minting
from memlane.workers.backup.restoring import Checked, OnProgress
from memlane.workers.backup.selection import Marks, Selection
from memlane.workers.sink_reader import SinkReader


@dataclass(slots=True)
class Plan:
    """What a rollback is to do.

    Attributes:
        stores: where an entry of the backup is to be stored again, with the newest version that is there.
        deletes: where an entry is now that was not there, likewise.
        unchanged: entries that are as they were.
        expired: entries whose time has come since.
        newer: addresses that were written to since the rollback began.
        unread: addresses whose content the backup lacks: they stay as they are.
    """

    stores: dict[Address, str] = field(default_factory=dict)
    deletes: dict[Address, str] = field(default_factory=dict)
    unchanged: int = 0
    expired: int = 0
    newer: int = 0
    unread: int = 0

    def commands(self, backup: Checked, minting: Minting) -> Iterator[AnyCommand]:
        """What is to be sent."""
        for record in backup.file.records():
            if isinstance(record, StoreCommand) and (floor := self.stores.get(record.address)) is not None:
                yield restamped(record, minting.after(floor))
        for (user_id, namespace, key), floor in self.deletes.items():
            yield DeleteAddress(id=minting.after(floor), user_id=user_id, namespace=namespace, key=key)


class Planner:
    """Compares a backup with what the sinks hold now, bucket by bucket.

    Args:
        backup: checked.
        selection: which part is rolled back.
        reader: of sinks.
        sinks: whose rows are compared; of each address the newest of them counts.
        begin: a version of now: what is newer was written since.
        now: the clock.
    """

    def __init__(
        self,
        backup: Checked,
        selection: Selection,
        reader: SinkReader,
        sinks: Sequence[str],
        begin: str,
        *,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        self._backup = backup
        self._selection = selection
        self._reader = reader
        self._sinks = sinks
        self._begin = begin
        self._now = now
        self._as_of = now()
        self._marks = Marks()
        self._ahead: set[str] = set()
        self._plan = Plan()

    async def plan(self, on_progress: OnProgress = lambda _done, _all: None) -> Plan:
        """What is to be done. Nothing is sent.

        Raises:
            SinkUnavailable: a sink does not answer.
        """
        # A mark may be in any bucket, so all of them come first.
        async with aclosing(self._buckets()) as buckets:
            async for bucket, traces in buckets:
                self._note(traces)
                on_progress(bucket, 2 * BUCKETS)
        records = _ByBucket(self._backup.file.records())
        async with aclosing(self._buckets()) as buckets:
            async for bucket, traces in buckets:
                self._compare(traces, records.of(bucket))
                on_progress(BUCKETS + bucket, 2 * BUCKETS)
        return self._plan

    async def _buckets(self) -> AsyncGenerator[tuple[int, list[Trace]], None]:
        """The rows and marks of each bucket, of all sinks; with its number."""
        async with AsyncExitStack() as exits:
            traces = [
                await exits.enter_async_context(aclosing(self._reader.traces(sink))) for sink in self._sinks
            ]
            for bucket in range(BUCKETS):
                yield bucket, [trace for of_sink in traces for trace in await anext(of_sink)]

    def _note(self, traces: Iterable[Trace]) -> None:
        """Keeps the marks, and the versions of clocks that run ahead: those were written before all this."""
        now_ms = to_microseconds(self._now()) // 1000
        for trace in traces:
            if isinstance(trace.place, Scope):
                self._marks.add(trace.place, Mark(trace.version, trace.hash))
            if trace.version > self._begin and version_milliseconds(trace.version) > now_ms:
                self._ahead.add(trace.version)

    def _compare(self, traces: Iterable[Trace], records: Iterable[Record]) -> None:
        heads = _newest(traces)
        then = self._live_then(records)
        for address, command in then.items():
            if command is not None:
                self._compare_entry(address, command, heads.get(address))
        for address, head in heads.items():
            if head.kind is Kind.LIVE and address not in then and self._is_shown(address, head):
                self._delete(address, head)

    def _live_then(self, records: Iterable[Record]) -> dict[Address, StoreCommand | None]:
        """What was live, and still would be; None where the backup can't say what it was."""
        then: dict[Address, StoreCommand | None] = {}
        for record in records:
            if not self._selection.takes_record(record):
                continue
            if isinstance(record, Unread):
                self._plan.unread += 1
                then[record.address] = None
            elif isinstance(record, StoreCommand) and not self._backup.covers(record):
                if record.expires_at is not None and record.expires_at <= self._as_of:
                    self._plan.expired += 1
                else:
                    then[record.address] = record
        return then

    def _compare_entry(self, address: Address, command: StoreCommand, head: Trace | None) -> None:
        mark = self._marks.over(address.user_id, address.namespace) or ""
        same = head is not None and (head.version, head.hash, head.kind) == (
            command.id, command_hash(command), Kind.LIVE,
        )  # fmt: skip
        newest = max(mark, "" if head is None else head.version)
        if same and mark < command.id:
            self._plan.unchanged += 1
        elif self._is_later(newest):
            self._plan.newer += 1
        else:
            self._plan.stores[address] = newest

    def _is_shown(self, address: Address, head: Trace) -> bool:
        """Whether an entry is meant at all, and not under a mark."""
        if not self._selection.takes(address.user_id, address.namespace):
            return False
        return (self._marks.over(address.user_id, address.namespace) or "") < head.version

    def _delete(self, address: Address, head: Trace) -> None:
        if self._is_later(head.version):
            self._plan.newer += 1
        else:
            self._plan.deletes[address] = head.version

    def _is_later(self, version: str) -> bool:
        return version > self._begin and version not in self._ahead


class _ByBucket:
    """A backup's lines, a bucket at a time."""

    def __init__(self, records: Iterator[Record]) -> None:
        self._groups = groupby(records, key=bucket_of_record)
        self._next = next(self._groups, None)

    def of(self, bucket: int) -> list[Record]:
        """Those of the next bucket; buckets are asked for in their order."""
        if self._next is None or self._next[0] != bucket:
            return []
        found = list(self._next[1])
        self._next = next(self._groups, None)
        return found


def _newest(traces: Iterable[Trace]) -> dict[Address, Trace]:
    """The newest row at each address; of equal ones, one that is live somewhere."""
    heads: dict[Address, Trace] = {}
    for trace in traces:
        if isinstance(trace.place, Address):
            heads[trace.place] = max(trace, heads.get(trace.place, trace), key=_rank)
    return heads


def _rank(trace: Trace) -> tuple[str, str, bool]:
    return trace.version, trace.hash, trace.kind is Kind.LIVE


def restamped(command: StoreCommand, version: str) -> StoreCommand:
    """The same entry under another version, made when it was made."""
    created = from_microseconds(command.created_us)
    found = command.model_copy(update={"id": version, "created_at": created})
    try:
        encode_command(found)
    except InvalidInput:
        # The instant does not fit any more: the value fills a message.
        return command.model_copy(update={"id": version, "created_at": None})
    return found
