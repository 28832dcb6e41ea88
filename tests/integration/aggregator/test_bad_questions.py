"""A question that can't be answered is refused by name; whatever is in the queue, others are answered."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any, Final
from uuid import uuid4

import pytest
from aiormq.abc import DeliveredMessage

from memlane.client import IncompleteAnswer, MemoryClient
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.reply import Refusal
from memlane.contracts.reply_codec import decode_reply
from memlane.contracts.topology import QUERIES, QUERY_QUEUE
from memlane.storage.memory import FailingSink
from tests.integration.aggregator.conftest import Put
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker
from tests.support.commands import store
from tests.support.system import System
from tests.support.waiting import wait_until

BAD: Final[dict[str, tuple[bytes, str]]] = {
    "no JSON": (b"{", "body"),
    "nothing": (b"", "body"),
    "no text": (b"\xff\xfe", "body"),
    "no object": (b"[]", "body"),
    "a deep tower": (b"[" * 100_000, "body"),
    "a field twice": (b'{"schema":1,"schema":1}', "body"),
    "no questions": (b'{"schema":1,"questions":[]}', "questions"),
}

BAD_QUESTIONS: Final[dict[str, tuple[Any, str]]] = {
    "no type": ({"user_id": "u"}, "questions.type"),
    "an unknown type": ({"type": "drop"}, "questions.type"),
    "no user": ({"type": "get", "key": "k"}, "questions.user_id"),
    "a long key": ({"type": "get", "user_id": "u", "key": "k" * 256}, "questions.key"),
    "a bad version": (
        {"type": "get", "user_id": "u", "key": "k", "min_version": "7"},
        "questions.min_version",
    ),
    "limit 501": ({"type": "list", "user_id": "u", "limit": 501}, "questions.limit"),
    "limit 0": ({"type": "search", "user_id": "u", "limit": 0}, "questions.limit"),
    "an unknown order": ({"type": "list", "user_id": "u", "order": "random"}, "questions.order"),
    "a cursor as text": ({"type": "list", "user_id": "u", "cursor": "abc"}, "questions.cursor"),
    "a long text": ({"type": "search", "user_id": "u", "text": "x" * 2001}, "questions.text"),
    "NUL": ({"type": "search", "user_id": "u", "text": "a\x00b"}, "questions.text"),
    "half a character": ({"type": "search", "user_id": "u", "text": "\ud800"}, "questions.text"),
    "an unknown filter": (
        {"type": "list", "user_id": "u", "filters": {"where": 1}},
        "questions.filters.where",
    ),
    "a naive time": (
        {"type": "list", "user_id": "u", "filters": {"created_from": "2026-01-31T08:30:00"}},
        "questions.filters.created_from",
    ),
    "half a field": ({"type": "stats", "\ud800": 1}, "questions"),
}

Ask = Any


@pytest.fixture
def local() -> bool:
    """Bad questions do not come as far as to the sinks."""
    return True


@pytest.fixture
async def ask(broker: Broker, system: System) -> AsyncIterator[Ask]:  # noqa: ARG001
    """Publishes the body of a question as it is, and returns the reply's answers."""
    replies: dict[str, asyncio.Future[bytes]] = {}

    async def on_reply(got: DeliveredMessage) -> None:
        replies[str(got.header.properties.correlation_id)].set_result(got.body)

    consumed = await broker.channel.basic_consume(DIRECT_REPLY_TO, on_reply, no_ack=True)

    async def ask(body: bytes) -> list[Any]:
        id_ = uuid4().hex
        replies[id_] = asyncio.get_running_loop().create_future()
        await broker.publish(body, exchange=QUERIES, reply_to=DIRECT_REPLY_TO, correlation_id=id_)
        return decode_reply(await asyncio.wait_for(replies[id_], 5)).answers

    yield ask
    await broker.channel.basic_cancel(consumed.consumer_tag or "")


async def test_a_bad_question_is_refused_by_the_name_of_its_field(ask: Ask) -> None:
    """One refusal for the message; what is wrong, and where the limit is."""
    bodies = {name: (body, field) for name, (body, field) in BAD.items()}
    for name, (question, field) in BAD_QUESTIONS.items():
        bodies[name] = (json.dumps({"schema": 1, "questions": [question]}).encode(), field)
    bodies["101"] = (
        json.dumps({"schema": 1, "questions": [{"type": "stats"}] * 101}).encode(),
        "questions",
    )
    bodies["deadline"] = (b'{"schema":1,"questions":[{"type":"stats"}],"deadline_ms":60001}', "deadline_ms")
    bodies["schema 2"] = (b'{"schema":2,"questions":[{"type":"stats"}]}', "schema")
    told = {name: await ask(body) for name, (body, _) in bodies.items()}
    fields = {name: answers[0].field for name, answers in told.items() if isinstance(answers[0], Refusal)}
    assert {name: field.replace(".0", "") for name, field in fields.items()} == {
        name: field for name, (_, field) in bodies.items()
    }
    assert {len(answers) for answers in told.values()} == {1}


async def test_a_refusal_says_the_limit(ask: Ask) -> None:
    """So that whoever asked knows what would be right."""
    (answer,) = await ask(b'{"schema":1,"questions":[{"type":"list","user_id":"u","limit":501}]}')
    assert "500" in answer.problem


@pytest.mark.parametrize(
    "reply_to",
    [
        None,
        "",
        "victim",
        "amq.rabbitmq.reply-to",
        "amq.rabbitmq.reply-to.garbage",
        "amq.rabbitmq.reply-to.a.b",
        "amq.rabbitmq.reply-to.g2d3A2FAYgAAAAEAAAAAAA==.key",
    ],
)
async def test_no_reply_address_stops_the_aggregator(
    broker: Broker, client: MemoryClient, first: FailingSink, put: Put, reply_to: str | None
) -> None:
    """A question without an answer to go to is dropped; nobody else's answer is lost for long."""
    await put(first, store())
    await broker.channel.queue_declare("victim")
    body = b'{"schema":1,"questions":[{"type":"stats"}]}'
    # Any: of several types, each as its property is.
    properties: dict[str, Any] = {} if reply_to is None else {"reply_to": reply_to}
    if reply_to == "amq.rabbitmq.reply-to":
        properties = {"headers": {"reply_to": reply_to}}
    for _ in range(3):
        await broker.publish(body, exchange=QUERIES, **properties)
    await wait_until(lambda: broker.is_empty(QUERY_QUEUE), "the questions are taken")

    async def is_answered() -> bool:
        with suppress(IncompleteAnswer):
            return (await client.list("u")).complete
        return False

    await wait_until(is_answered, "another question is answered")
    assert await broker.is_empty("victim")
    await broker.channel.queue_delete("victim")


async def test_a_question_that_nobody_takes_expires(start_system: StartSystem, first: FailingSink) -> None:
    """At its deadline: an aggregator that comes later does not work on what nobody waits for."""
    system = await start_system(first, roles=[])
    async with system.client(deadline="PT1S") as client:
        asked = asyncio.create_task(client.stats())
        await wait_until(lambda: system.broker.holds(QUERY_QUEUE, 1), "it is in the queue")
        await wait_until(lambda: system.broker.is_empty(QUERY_QUEUE), "it has expired")
        await asyncio.gather(asked, return_exceptions=True)
