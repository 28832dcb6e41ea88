"""Reads what the sinks hold, row by row: for whoever compares them, repairs them or makes a backup.

By their responders, wherever those run; directly where a sink is open in this process.
"""

from collections.abc import AsyncIterator, Sequence
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
    StoreCommand,
)
from memlane.contracts.entry import Entry
from memlane.contracts.fingerprint import BUCKETS, command_hash
from memlane.contracts.limits import MAX_QUESTIONS
from memlane.contracts.query import AnySinkQuestion, DigestsQuestion, GetQuestion, VersionsQuestion
from memlane.contracts.reply import AnySinkAnswer, Fetched, SinkDigests, SinkVersions
from memlane.storage.errors import SinkUnavailable
from memlane.storage.rows import Kind, Scope, Trace
from memlane.workers.aggregator.asking import Ask
from memlane.workers.traces import trace_of

SECONDS: Final = 30.0
"""For each answer. A bucket of a sink with some hundred million rows is read in that time."""

BEFORE_ALL: Final = datetime(1, 1, 1, tzinfo=UTC)
"""As of then nothing has expired: what is not swept yet is read with its content."""

Answer = TypeVar("Answer", SinkDigests, SinkVersions, Fetched)


class Row(NamedTuple):
    """A row or mark, and the command that makes another sink hold the same."""

    trace: Trace
    command: AnyCommand


@dataclass(slots=True)
class RowsRead:
    """Rows and marks as they were read.

    Attributes:
        rows: in no order.
        gone: rows that are to be purged: a scope mark covers them. Or they were deleted meanwhile.
        unread: what is damaged, what the sink has no content for, or what changed meanwhile.
    """

    rows: list[Row] = field(default_factory=list)
    gone: list[Trace] = field(default_factory=list)
    unread: list[Trace] = field(default_factory=list)

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

    async def versions(
        self, sink: str, buckets: Sequence[int], *, recount: bool = False
    ) -> list[list[Trace]]:
        """The rows and marks of each of the buckets. Raises as `digests`.

        Args:
            sink: which.
            buckets: not so many that all their rows would be too much for the memory.
            recount: whether to set their digests right before.
        """
        questions = [VersionsQuestion(bucket=bucket, recount=recount) for bucket in buckets]
        answers = await self._answers(sink, questions, SinkVersions)
        try:
            return [[trace_of(row) for row in answer.rows] for answer in answers]
        except ValueError as error:
            raise SinkUnavailable(f"the sink {sink} tells of rows that can't be read: {error}") from error

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
        """All rows and marks, bucket by bucket; each bucket as it is when it is read. Raises as `digests`."""
        for bucket in range(BUCKETS):
            (traces,) = await self.versions(sink, [bucket])
            if traces:
                yield await self.rows(sink, traces)

    async def _read_live(self, sink: str, traces: Sequence[Trace], read: RowsRead) -> None:
        addresses = [trace.place for trace in traces if isinstance(trace.place, Address)]
        questions = [GetQuestion(user_id=a.user_id, namespace=a.namespace, key=a.key) for a in addresses]
        answers = await self._answers(sink, questions, Fetched)
        for trace, answer in zip(traces, answers, strict=True):
            command = store_of(answer.entry) if answer.entry is not None else None
            if command is not None and (command.id, command_hash(command)) == (trace.version, trace.hash):
                read.rows.append(Row(trace, command))
            elif answer.state == "gone" and (answer.version or "") >= trace.version:
                read.gone.append(trace)
            else:
                read.unread.append(trace)

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


def store_of(entry: Entry) -> StoreCommand:
    """The store that an entry comes from, or another one that says the same."""
    return StoreCommand.model_construct(
        id=entry.version,
        user_id=entry.user_id,
        namespace=entry.namespace,
        key=entry.key,
        value_json=entry.value_json,
        tags=entry.tags,
        importance=entry.importance,
        session_id=entry.session_id,
        project_id=entry.project_id,
        metadata_json=entry.metadata_json,
        created_at=entry.created_at,
        expires_at=entry.expires_at,
    )


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
