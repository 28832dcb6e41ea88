"""How replies travel. Written by hand, because the entries' values are already text."""

import json
from collections.abc import Iterable, Mapping

from memlane.contracts.canonical import parse
from memlane.contracts.entry import encode_entry
from memlane.contracts.limits import MAX_REPLY_BYTES
from memlane.contracts.reply import (
    REPLY,
    SINK_REPLY,
    AnyAnswer,
    AnySinkAnswer,
    Fetched,
    GetAnswer,
    Hit,
    Page,
    PageAnswer,
    Refusal,
    Reply,
    SinkReply,
    SinkReport,
)
from memlane.contracts.validation import validate


def encode_sink_reply(reply: SinkReply) -> bytes:
    """The body of a responder's reply."""
    head = {"schema": 1, "sink": reply.sink, "status": reply.status, "reason": reply.reason}
    answers = ",".join(map(_sink_answer, reply.answers))
    return f'{json.dumps(head)[:-1]},"answers":[{answers}]}}'.encode()


def decode_sink_reply(body: bytes) -> SinkReply:
    """The inverse of `encode_sink_reply`.

    Raises:
        InvalidInput: it is not one.
    """
    return validate(SINK_REPLY, parse(body), "reply")


def encode_reply(answers: Iterable[AnyAnswer]) -> bytes:
    """The body of the aggregator's reply: the first answers, as many as are 8 MiB together; at least one."""
    told: list[bytes] = []
    size = 0
    for answer in answers:
        told.append(_answer(answer).encode())
        size += len(told[-1])
        if size > MAX_REPLY_BYTES and len(told) > 1:
            told.pop()
            break
    return b'{"schema":1,"answers":[' + b",".join(told) + b"]}"


def decode_reply(body: bytes) -> Reply:
    """The inverse of `encode_reply`.

    Raises:
        InvalidInput: it is not one.
    """
    return validate(REPLY, parse(body), "reply")


def _sink_answer(answer: AnySinkAnswer) -> str:
    if isinstance(answer, Fetched):
        return f'{{"type":"get",{_found(answer)}}}'
    if isinstance(answer, Page):
        digest = answer.digest
        return (
            f'{{"type":"page","hits":{_hits(answer.hits)},"more":{_boolean(answer.more)},'
            f'"digest":{{"count":{digest.count},"sum":{digest.sum}}}}}'
        )
    return answer.model_dump_json()


def _answer(answer: AnyAnswer) -> str:
    if isinstance(answer, Refusal):
        return answer.model_dump_json(exclude={"kind"} if answer.kind == "invalid" else None)
    complete = f'"complete":{_boolean(answer.complete)},"sinks":{_sinks(answer.sinks)}'
    if isinstance(answer, GetAnswer):
        return f'{{"type":"get",{_found(answer)},{complete}}}'
    if isinstance(answer, PageAnswer):
        cursor = answer.cursor.model_dump_json() if answer.cursor else "null"
        return f'{{"type":"page","hits":{_hits(answer.hits)},"cursor":{cursor},{complete}}}'
    return f'{{"type":"stats",{complete}}}'


def _found(answer: Fetched | GetAnswer) -> str:
    text = f'"state":"{answer.state}"'
    if answer.version is not None:
        text += f',"version":"{answer.version}"'
    if answer.entry is not None:
        text += f',"entry":{encode_entry(answer.entry)}'
    return text


def _hits(hits: Iterable[Hit]) -> str:
    found = (f'{{"entry":{encode_entry(hit.entry)},"score":{hit.score!r}}}' for hit in hits)
    return f"[{','.join(found)}]"


def _sinks(sinks: Mapping[str, SinkReport]) -> str:
    reports = (f"{json.dumps(name)}:{report.model_dump_json()}" for name, report in sinks.items())
    return f"{{{','.join(reports)}}}"


def _boolean(value: bool) -> str:
    return "true" if value else "false"
