"""All that a sink holds, as commands, while writes go on: each row whole, none passed over."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fingerprint import BUCKETS, address_hash, bucket_of, command_hash
from memlane.storage.errors import SinkUnavailable
from memlane.storage.rows import Kind, Scope, Trace
from memlane.workers.backup.format import Record, Unread, bucket_of_record
from memlane.workers.sink_reader import SinkReader

MAX_TRIES: Final = 20
"""A row that is another one each time it is looked at is given up."""

_FITS: Final = 100_000
"""Characters of value and metadata with which any command fits into a message."""

OnProgress = Callable[[int, int], None]
"""Told how many buckets are read, and how many there are."""


class WholeRows:
    """Reads a sink's rows and marks.

    Args:
        reader: of sinks.
        sink: whose rows.
        others: sinks that are asked for what this one has no content of, in this order.
        wanted: which rows and marks are meant; by default all.
    """

    def __init__(
        self,
        reader: SinkReader,
        sink: str,
        others: Sequence[str] = (),
        wanted: Callable[[Trace], bool] = lambda _trace: True,
    ) -> None:
        self._reader = reader
        self._sink = sink
        self._others = others
        self._wanted = wanted

    async def read(self, on_progress: OnProgress = lambda _done, _all: None) -> AsyncIterator[list[Record]]:
        """All of them, in the order of their buckets, some hundred at a time.

        What is written meanwhile may be in it or not. What a mark covers is left out.

        Raises:
            SinkUnavailable: the sink does not answer.
        """
        async for traces in self._reader.batches(self._sink):
            records = await self._records([trace for trace in traces if self._wanted(trace)])
            if records:
                yield sorted(records, key=bucket_of_record)
                on_progress(bucket_of_record(records[-1]), BUCKETS)
        on_progress(BUCKETS, BUCKETS)

    async def _records(self, traces: Sequence[Trace]) -> list[Record]:
        records: list[Record] = []
        lost: list[Trace] = []
        read = await self._reader.rows(self._sink, traces)
        for _ in range(MAX_TRIES):
            records += map(_fitting, read.commands)
            lost += [trace for trace in read.unread if not _has_content(trace)]
            changed = {trace.place: trace for trace in read.unread if _has_content(trace)}
            if not changed:
                break
            now = [trace for trace in await self._now(changed) if trace not in read.gone]
            # What has not changed, and is there, has no content all the same.
            lost += [trace for trace in now if trace == changed[trace.place]]
            read = await self._reader.rows(
                self._sink, [trace for trace in now if trace != changed[trace.place]]
            )
        else:
            records += map(_fitting, read.commands)
            lost += read.unread
        return [*records, *[await self._from_others(trace) for trace in lost]]

    async def _now(self, changed: Mapping[Address | Scope, Trace]) -> list[Trace]:
        """The rows that are now at addresses whose rows have changed. One under a mark may be gone by now."""
        buckets = {bucket_of(address_hash(*_address(trace))) for trace in changed.values()}
        found = await self._reader.versions(self._sink, sorted(buckets))
        return [trace for traces in found for trace in traces if trace.place in changed]

    async def _from_others(self, trace: Trace) -> Record:
        wanted = trace._replace(kind=Kind.LIVE, intact=True)
        for other in self._others:
            try:
                read = await self._reader.rows(other, [wanted])
            except SinkUnavailable:
                continue
            if read.commands:
                return _fitting(read.commands[0])
        return _unread(_address(trace), trace.version, trace.hash)


def _has_content(trace: Trace) -> bool:
    return trace.kind is Kind.LIVE and trace.intact


def _fitting(command: AnyCommand) -> Record:
    """The command, if any message can carry it: as canonical JSON it may take more than it took once."""
    if isinstance(command, StoreCommand) and len(command.value_json) + len(command.metadata_json) > _FITS:
        try:
            encode_command(command)
        except InvalidInput:
            return _unread(command.address, command.id, command_hash(command))
    return command


def _unread(address: Address, version: str, hash_: str) -> Unread:
    user_id, namespace, key = address
    return Unread(id=version, user_id=user_id, namespace=namespace, key=key, hash=hash_)


def _address(trace: Trace) -> Address:
    assert isinstance(trace.place, Address)  # noqa: S101  # a mark needs no content
    return trace.place
