"""Reads what the sinks hold, row by row: for whoever compares them, repairs them or makes a backup.

By their responders, wherever those run; directly where a sink is open in this process.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

from memlane.contracts.address import Address
from memlane.contracts.command import (
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    store_of,
)
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.limits import MAX_QUESTIONS
from memlane.contracts.query import (
    AnySinkQuestion,
    DigestsQuestion,
    GetQuestion,
    HashesQuestion,
    VersionsQuestion,
)
from memlane.contracts.reply import AnySinkAnswer, Fetched, SinkDigests, SinkHashes, SinkVersions
from memlane.storage.errors import SinkUnavailable
from memlane.storage.rows import Kind, Scope, Trace
from memlane.workers.aggregator.asking import Ask
from memlane.workers.traces import trace_of

SECONDS: Final = 30.0
"""For each answer. A bucket of a sink with some hundred million rows is read in that time."""

BEFORE_ALL: Final = datetime(1, 1, 1, tzinfo=UTC)
"""As of then nothing has expired: what is not swept yet is read with its content."""

ROWS_AT_ONCE: Final = 500
"""From so many on, buckets make a message: most buckets hold a handful of rows."""

Answer = TypeVar("Answer", SinkDigests, SinkHashes, SinkVersions, Fetched)


class Row(NamedTuple):
    """A row or mark, and the command that makes another sink hold the same."""

    trace: Trace
    command: AnyCommand


@dataclass(slots=True)
class RowsRead:
    """Rows and marks as they were read.

    Attributes:
        rows: in no order.
        unread: what is damaged, what the sink has no content for, or what changed meanwhile.
        gone: those of the unread at whose address nothing is: deleted since, or under a mark.
        changed: those of the unread at whose address something newer is by now.
    """

    rows: list[Row] = field(default_factory=list)
    unread: list[Trace] = field(default_factory=list)
    gone: list[Trace] = field(default_factory=list)
    changed: list[Trace] = field(default_factory=list)

    @property
    def commands(self) -> list[AnyCommand]:
        """The commands of what was read."""
        return [row.command for row in self.rows]


class SinkReader:
    """Reads sinks.

    Args:
        ask: puts questions to them.
        seconds: for each answer.
    """

    def __init__(self, ask: Ask, seconds: float = SECONDS) -> None:
        self._ask = ask
        self._seconds = seconds

    async def digests(self, sink: str) -> SinkDigests:
        """The digests of a sink's buckets.

        Raises:
            SinkUnavailable: it does not answer.
        """
        return (await self._answers(sink, [DigestsQuestion()], SinkDigests))[0]

    async def hashes(self, sink: str, buckets: Sequence[int]) -> list[frozenset[str]]:
        """The hashes of the rows and marks of each of the buckets. Raises as `digests`."""
        questions = [HashesQuestion(bucket=bucket) for bucket in buckets]
        return [frozenset(answer.hashes) for answer in await self._answers(sink, questions, SinkHashes)]

    async def with_hashes(
        self, sink: str, buckets: Sequence[int], hashes: Sequence[Collection[str]]
    ) -> list[list[Trace]]:
        """The rows and marks of each of the buckets that have one of its hashes. Raises as `digests`."""
        wanted = [(bucket, of) for bucket, of in zip(buckets, hashes, strict=True) if of]
        questions = [VersionsQuestion(bucket=bucket, hashes=list(of)) for bucket, of in wanted]
        answers = await self._answers(sink, questions, SinkVersions)
        found = {answer.bucket: _traces(sink, answer) for answer in answers}
        return [found.get(bucket, []) for bucket in buckets]

    async def versions(
        self, sink: str, buckets: Sequence[int], *, check: bool = False, recount: bool = False
    ) -> list[list[Trace]]:
        """The rows and marks of each of the buckets. Raises as `digests`.

        Args:
            sink: which.
            buckets: not so many that all their rows would be too much for the memory.
            check: whether to compare rows with their content.
            recount: whether to set their digests right before.
        """
        questions = [VersionsQuestion(bucket=bucket, check=check, recount=recount) for bucket in buckets]
        return [_traces(sink, answer) for answer in await self._answers(sink, questions, SinkVersions)]

    async def traces(self, sink: str) -> AsyncGenerator[list[Trace], None]:
        """The rows and marks of each bucket, in the order of the buckets. Raises as `digests`."""
        async for portion in self._portions(sink):
            for traces in portion:
                yield traces

    async def batches(self, sink: str) -> AsyncIterator[list[Trace]]:
        """The same, of several buckets together: some hundred, or more where a bucket has more."""
        async for portion in self._portions(sink):
            yield [trace for traces in portion for trace in traces]

    async def rows(self, sink: str, traces: Sequence[Trace]) -> RowsRead:
        """What stands behind rows and marks of a sink. Damaged ones are not read. Raises as `digests`."""
        read = RowsRead()
        live: list[Trace] = []
        for trace in traces:
            if trace.kind is Kind.LIVE and trace.intact:
                live.append(trace)
            elif trace.intact and (command := _without_content(trace)) is not None:
                read.rows.append(Row(trace, command))
            else:
                read.unread.append(trace)
        for start in range(0, len(live), MAX_QUESTIONS):
            await self._read_live(sink, live[start : start + MAX_QUESTIONS], read)
        return read

    async def everything(self, sink: str) -> AsyncIterator[RowsRead]:
        """All rows and marks, in the order of buckets, each as it is when it is read. Raises as `digests`."""
        async for traces in self.batches(sink):
            yield await self.rows(sink, traces)

    async def _portions(self, sink: str) -> AsyncIterator[list[list[Trace]]]:
        """Some buckets at a time; those that are empty by their digests are not asked for."""
        counts = (await self.digests(sink)).counts
        for portion in _portions(counts):
            filled = [bucket for bucket in portion if counts[bucket]]
            found = dict(zip(filled, await self.versions(sink, filled), strict=True)) if filled else {}
            yield [found.get(bucket, []) for bucket in portion]

    async def _read_live(self, sink: str, traces: Sequence[Trace], read: RowsRead) -> None:
        addresses = [trace.place for trace in traces if isinstance(trace.place, Address)]
        questions = [GetQuestion(user_id=a.user_id, namespace=a.namespace, key=a.key) for a in addresses]
        answers = await self._answers(sink, questions, Fetched)
        for trace, answer in zip(traces, answers, strict=True):
            command = store_of(answer.entry) if answer.entry is not None else None
            if command is not None and (command.id, command_hash(command)) == (trace.version, trace.hash):
                read.rows.append(Row(trace, command))
            else:
                read.unread.append(trace)
                if answer.state == "gone":
                    read.gone.append(trace)
                elif (answer.version or "") > trace.version:
                    read.changed.append(trace)

    async def _answers(
        self, sink: str, questions: Sequence[AnySinkQuestion], kind: type[Answer]
    ) -> list[Answer]:
        """An answer to each question; what had no room in a reply is asked again."""
        found: list[Answer] = []
        while len(found) < len(questions):
            left = questions[len(found) :]
            reply = (await self._ask(sink, left, BEFORE_ALL, self._seconds)).reply
            if reply.status != "ok" or not reply.answers:
                raise SinkUnavailable(f"the sink {sink} does not answer: {reply.reason or reply.status}")
            found += [_checked(sink, answer, kind) for answer in reply.answers]
        return found


def _portions(counts: Sequence[int]) -> Iterator[list[int]]:
    """All buckets in their order, some hundred rows at a time."""
    portion: list[int] = []
    rows = 0
    for bucket, count in enumerate(counts):
        portion.append(bucket)
        rows += count
        if rows >= ROWS_AT_ONCE:
            yield portion
            portion, rows = [], 0
    yield portion


def _traces(sink: str, answer: SinkVersions) -> list[Trace]:
    try:
        return [trace_of(row) for row in answer.rows]
    except ValueError as error:
        raise SinkUnavailable(f"the sink {sink} tells of rows that can't be read: {error}") from error


def _without_content(trace: Trace) -> AnyCommand | None:
    """The command of a row or mark that needs no content; None where it needs some."""
    place = trace.place
    if isinstance(place, Scope):
        if place.namespace is None:
            return DeleteUser(id=trace.version, user_id=place.user_id)
        return DeleteNamespace(id=trace.version, user_id=place.user_id, namespace=place.namespace)
    user_id, namespace, key = place
    if trace.kind is Kind.DELETED:
        return DeleteAddress(id=trace.version, user_id=user_id, namespace=namespace, key=key)
    if trace.kind is Kind.EXPIRED:
        return ExpiredStore(id=trace.version, user_id=user_id, namespace=namespace, key=key, hash=trace.hash)
    return None


def _checked(sink: str, answer: AnySinkAnswer, kind: type[Answer]) -> Answer:
    if not isinstance(answer, kind):
        raise SinkUnavailable(f"the sink {sink} answers another question than it was asked")
    return answer
