"""One sink's answers to a message of questions."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import structlog

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry
from memlane.contracts.instants import now
from memlane.contracts.limits import MAX_REPLY_BYTES
from memlane.contracts.query import (
    AnySinkQuestion,
    DigestsQuestion,
    GetQuestion,
    HashesQuestion,
    ListQuestion,
    SearchQuestion,
    StatsQuestion,
    VersionsQuestion,
)
from memlane.contracts.reply import (
    AnySinkAnswer,
    Fetched,
    Page,
    SinkDigests,
    SinkHashes,
    SinkReply,
    SinkVersions,
)
from memlane.producers import log_keys
from memlane.storage.errors import SinkError
from memlane.storage.sink import Sink
from memlane.workers.traces import row_of

log: Final = structlog.get_logger("memlane.responder")

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""Of the values and metadata of one page: those of several sinks come into one reply."""

_TRACE_BYTES: Final = 200
"""Of a row in an answer about versions, about."""

_HASH_BYTES: Final = 35
"""Of a hash in an answer about hashes."""

_OtherQuestion = (
    ListQuestion | SearchQuestion | StatsQuestion | DigestsQuestion | HashesQuestion | VersionsQuestion
)


async def answer(sink: Sink, questions: Sequence[AnySinkQuestion], as_of: datetime) -> SinkReply:
    """The sink's reply; `unavailable` with the reason where it can't answer. Never raises for the sink."""
    try:
        return SinkReply(sink=sink.name, status="ok", answers=await _answers(sink, questions, as_of))
    except SinkError as error:
        return SinkReply(sink=sink.name, status="unavailable", reason=str(error))
    except Exception as error:
        log.exception("a question could not be answered", **{log_keys.SINK: sink.name})
        return SinkReply(sink=sink.name, status="unavailable", reason=type(error).__name__)


async def _answers(sink: Sink, questions: Sequence[AnySinkQuestion], as_of: datetime) -> list[AnySinkAnswer]:
    fetched = await _fetch_all(sink, questions, as_of)
    answers: list[AnySinkAnswer] = []
    size = 0
    for question in questions:
        if isinstance(question, GetQuestion):
            one: AnySinkAnswer = fetched[question.address]
        else:
            one = await _answer_one(sink, question, as_of)
        size += _size(one)
        if size > MAX_REPLY_BYTES and answers:
            break
        answers.append(one)
    return answers


async def _fetch_all(
    sink: Sink, questions: Sequence[AnySinkQuestion], as_of: datetime
) -> dict[Address, Fetched]:
    """All gets of a message in one call to the sink."""
    addresses = list(dict.fromkeys(q.address for q in questions if isinstance(q, GetQuestion)))
    if not addresses:
        return {}
    return dict(zip(addresses, await sink.fetch(addresses, as_of), strict=True))


async def _answer_one(sink: Sink, question: _OtherQuestion, as_of: datetime) -> AnySinkAnswer:
    match question:
        case StatsQuestion():
            return await sink.stats(question.user_id)
        case DigestsQuestion():
            return await _digests(sink)
        case HashesQuestion(bucket=bucket):
            return SinkHashes(bucket=bucket, hashes=await sink.hashes(bucket))
        case VersionsQuestion():
            return await _versions(sink, question)
        case _:
            return _bounded(await sink.find(question, as_of))


async def _digests(sink: Sink) -> SinkDigests:
    # First: a change that comes between the two must not be missed by whoever compares the counters.
    store = await sink.health()
    digests = await sink.digests()
    return SinkDigests(
        counts=[digest.count for digest in digests],
        sums=[digest.sum for digest in digests],
        incarnation=store.incarnation,
        changes=store.changes,
        floor=store.floor,
    )


async def _versions(sink: Sink, question: VersionsQuestion) -> SinkVersions:
    if question.recount:
        await sink.sweep(now(), limit=0, recount=question.bucket)
    traces = await sink.versions(question.bucket, check=question.check, hashes=question.hashes)
    return SinkVersions(bucket=question.bucket, rows=[row_of(trace) for trace in traces])


def _bounded(page: Page) -> Page:
    """The page, cut to what one message may carry: a short page is not the end, as `more` says."""
    size = 0
    for kept, hit in enumerate(page.hits):
        size += _entry_size(hit.entry)
        if size > MAX_PAGE_BYTES and kept > 0:
            return page.model_copy(update={"hits": page.hits[:kept], "more": True})
    return page


def _size(answer: AnySinkAnswer) -> int:
    """Of the values and metadata in an answer, in bytes."""
    if isinstance(answer, Page):
        return sum(_entry_size(hit.entry) for hit in answer.hits)
    if isinstance(answer, SinkHashes):
        return len(answer.hashes) * _HASH_BYTES
    if isinstance(answer, SinkVersions):
        return len(answer.rows) * _TRACE_BYTES
    return _entry_size(answer.entry) if isinstance(answer, Fetched) and answer.entry else 0


def _entry_size(entry: Entry) -> int:
    return _bytes_of(entry.value_json) + _bytes_of(entry.metadata_json)


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
