"""A responder answers what it is asked about its sink, and nothing it is sent stops it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from aiormq.abc import DeliveredMessage

from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.query import AnySinkQuestion, GetQuestion, SinkQueryEnvelope, StatsQuestion
from memlane.contracts.reply import Fetched, SinkReply, SinkStats
from memlane.contracts.reply_codec import decode_sink_reply
from memlane.contracts.topology import sink_query_queue
from memlane.storage.memory import FailingSink
from tests.integration.conftest import StartSystem
from tests.support.broker import Broker
from tests.support.commands import store
from tests.support.system import RESPONDER, System
from tests.support.waiting import wait_until

Ask = Callable[[bytes], Coroutine[None, None, SinkReply]]


@pytest.fixture
async def system(start_system: StartSystem, failing: FailingSink) -> System:
    """Only a responder."""
    return await start_system(failing, roles=[RESPONDER])


@pytest.fixture
async def ask(broker: Broker, system: System) -> AsyncIterator[Ask]:  # noqa: ARG001
    """Publishes the body of a question as it is, and returns the reply."""
    replies: dict[str, asyncio.Future[bytes]] = {}

    async def on_reply(got: DeliveredMessage) -> None:
        replies[str(got.header.properties.correlation_id)].set_result(got.body)

    consumed = await broker.channel.basic_consume(DIRECT_REPLY_TO, on_reply, no_ack=True)

    async def ask(body: bytes) -> SinkReply:
        id_ = uuid4().hex
        replies[id_] = asyncio.get_running_loop().create_future()
        await broker.publish(
            body,
            exchange="",
            routing_key=sink_query_queue("memory"),
            reply_to=DIRECT_REPLY_TO,
            correlation_id=id_,
        )
        return decode_sink_reply(await asyncio.wait_for(replies[id_], 5))

    yield ask
    await broker.channel.basic_cancel(consumed.consumer_tag or "")


def question(*, as_of: datetime | None = None) -> bytes:
    """A get and stats."""
    questions: list[AnySinkQuestion] = [GetQuestion(user_id="u", key="k"), StatsQuestion(user_id="u")]
    envelope = SinkQueryEnvelope(questions=questions, as_of=as_of or datetime.now(UTC))
    return envelope.model_dump_json(by_alias=True).encode()


async def test_it_answers_each_question_in_order(ask: Ask, failing: FailingSink) -> None:
    """All questions of a message in one reply."""
    await failing.apply([store(value=7)], datetime.now(UTC))
    reply = await ask(question())
    assert (reply.sink, reply.status) == ("memory", "ok")
    found, stats = reply.answers
    assert isinstance(found, Fetched)
    assert isinstance(stats, SinkStats)
    assert found.entry is not None
    assert (found.entry.value, stats.live) == (7, 1)


async def test_the_instant_of_the_question_counts(ask: Ask, failing: FailingSink) -> None:
    """Not the responder's own: all sinks of an answer expire the same."""
    expires = datetime.now(UTC) + timedelta(hours=1)
    await failing.apply([store(expires_at=expires)], datetime.now(UTC))
    states = [
        (await ask(question(as_of=as_of))).answers[0] for as_of in (expires - timedelta(seconds=1), expires)
    ]
    assert [state.state for state in states if isinstance(state, Fetched)] == ["entry", "gone"]


async def test_it_says_why_its_sink_can_not_answer(ask: Ask, failing: FailingSink) -> None:
    """And answers again when the sink does."""
    failing.go_down("no disk")
    reply = await ask(question())
    assert (reply.status, reply.answers) == ("unavailable", [])
    assert "no disk" in str(reply.reason)
    failing.heal()
    assert (await ask(question())).status == "ok"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'{"schema":1}', b"[" * 100_000])
async def test_what_it_can_not_read_it_refuses(ask: Ask, body: bytes) -> None:
    """And goes on."""
    assert (await ask(body)).status == "unavailable"
    assert (await ask(question())).status == "ok"


async def test_it_writes_into_no_queue(ask: Ask, broker: Broker) -> None:
    """A reply address that is no direct one is ignored."""
    await broker.channel.queue_declare("victim")
    for properties in ({}, {"reply_to": "victim"}, {"reply_to": ""}):
        await broker.publish(question(), exchange="", routing_key=sink_query_queue("memory"), **properties)
    assert (await ask(question())).status == "ok"
    assert await broker.is_empty("victim")
    await broker.channel.queue_delete("victim")


async def test_a_slow_question_holds_up_no_other(ask: Ask, failing: FailingSink, system: System) -> None:
    """Several are worked on at the same time."""
    failing.slow(timedelta(milliseconds=300), "fetch")
    slow = asyncio.create_task(ask(question()))
    await wait_until(lambda: failing.calls["fetch"] == 1, "the slow one is at work")
    stats = SinkQueryEnvelope(questions=[StatsQuestion()], as_of=datetime.now(UTC))
    async with asyncio.timeout(0.25):
        assert (await ask(stats.model_dump_json(by_alias=True).encode())).status == "ok"
    assert (await slow).status == "ok"
    assert system.responders["memory"].state.ready


async def test_a_question_that_nobody_waits_for_any_more_is_not_asked(
    system: System, broker: Broker, failing: FailingSink
) -> None:
    """While the sink hangs, questions wait for their turn; those whose time is over then are dropped."""
    replies: list[DeliveredMessage] = []

    async def on_reply(got: DeliveredMessage) -> None:
        replies.append(got)

    await broker.channel.basic_consume(DIRECT_REPLY_TO, on_reply, no_ack=True)
    failing.hang()
    queue = sink_query_queue("memory")
    at_once = system.settings.responder_concurrency
    for _ in range(at_once + 5):
        await broker.publish(
            question(), exchange="", routing_key=queue, reply_to=DIRECT_REPLY_TO, expiration="300"
        )
    await wait_until(lambda: failing.calls["fetch"] == at_once, "all that it asks at once hang")
    await asyncio.sleep(0.4)  # until the others have expired
    failing.heal()
    await wait_until(lambda: len(replies) == at_once, "the sink has answered those")
    await system.stop(*system.responders.values())
    assert failing.calls["fetch"] == at_once
