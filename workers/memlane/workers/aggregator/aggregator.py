"""Takes questions from clients, has them answered by the sinks, and replies before the deadline."""

import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from memlane.contracts.canonical import parse
from memlane.contracts.codec import check_schema, check_size
from memlane.contracts.errors import InvalidInput
from memlane.contracts.instants import now
from memlane.contracts.query import QUERY_ENVELOPE, AnyQuestion, QueryEnvelope
from memlane.contracts.reply import AnyAnswer, Refusal
from memlane.contracts.reply_codec import encode_reply
from memlane.contracts.topology import QUERY_QUEUE
from memlane.contracts.validation import validate
from memlane.producers.broker.connection import connect, run_until_closed, user_of
from memlane.storage.sink import Sink
from memlane.workers.access import access_of, principal_of
from memlane.workers.access.questions import refusals, shown
from memlane.workers.aggregator.answering import answer_questions
from memlane.workers.aggregator.asking import Ask, LocalAsker, RemoteAsker, Reputation
from memlane.workers.aggregator.round import Round
from memlane.workers.consuming import wait_while_consuming
from memlane.workers.in_hand import OVERLOADED, InHand
from memlane.workers.replying import Replier, is_reply_address
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings

log: Final = structlog.get_logger("memlane.aggregator")

_REPLY_MARGIN: Final = 0.9
"""The part of the deadline that may be spent on the sinks; the rest is for the way back."""


class Aggregator(ConnectedRole):
    """Answers clients' questions until it is stopped. Any number of them share the queue.

    Args:
        settings: of this worker.
        local: sinks that have a responder in this process: they are asked without a way over the broker.
        standings: which sinks are rebuilding; without it none is.
    """

    def __init__(
        self, settings: WorkerSettings, local: Sequence[Sink] = (), standings: Standings | None = None
    ) -> None:
        super().__init__("aggregator", settings)
        self._local = {sink.name: sink for sink in local}
        self._standings = standings or Standings()
        self._reputation = Reputation()
        self._quickness = Reputation()
        self._access = access_of(settings)

    async def _session(self, consuming: AbstractConnection) -> None:
        """On three connections: questions, sinks, and replies (whose addresses come from outside)."""
        async with AsyncExitStack() as exits:
            url = self._settings.url
            asking = await exits.enter_async_context(await connect(url, "memlane aggregator ask"))
            replier = await exits.enter_async_context(Replier(url, "memlane aggregator reply"))
            await run_until_closed(asking, lambda ask: self._serve(consuming, ask, replier))

    async def _serve(
        self, consuming: AbstractConnection, asking: AbstractConnection, replier: Replier
    ) -> None:
        remote = RemoteAsker(await asking.channel(publisher_confirms=False), user_of(self._settings.url))
        await remote.open()
        ask = LocalAsker(self._local, remote)
        in_hand = InHand()
        channel = await consuming.channel()
        queue = await channel.get_queue(QUERY_QUEUE, ensure=False)

        async def on_query(message: AbstractIncomingMessage) -> None:
            if in_hand.begins_to_be_full():
                log.warning(OVERLOADED)
            if in_hand.is_full:
                return
            with in_hand:
                await self._handle(message, ask, replier)

        tag = await queue.consume(on_query, no_ack=True)
        self.state.to("running")
        await wait_while_consuming(channel, tag, self._stopping)
        await queue.cancel(tag)
        await in_hand.finish(self._settings.drain_timeout)

    async def _handle(self, message: AbstractIncomingMessage, ask: Ask, replier: Replier) -> None:
        arrived = time.monotonic()
        reply_to = message.reply_to
        if reply_to is None or not is_reply_address(reply_to):
            log.warning("question without a direct reply address dropped")
            return
        try:
            answers = await self._answer_allowed(message, read_query(message.body), ask, arrived)
        except InvalidInput as error:
            answers = [refusal(error)]
        await replier.send(reply_to, encode_reply(answers), message.correlation_id)

    async def _answer_allowed(
        self, message: AbstractIncomingMessage, query: QueryEnvelope, ask: Ask, arrived: float
    ) -> list[AnyAnswer]:
        """The answers to what the asker may ask, and a refusal in the place of each other question."""
        access = self._access
        if access is None:
            return await self._answer(query, query.questions, ask, arrived)
        principal = principal_of(message.user_id, message.headers, access.worker_accounts)
        refused = refusals(access, principal, query.questions)
        allowed = [question for place, question in enumerate(query.questions) if place not in refused]
        answers = await self._answer(query, allowed, ask, arrived) if allowed else []
        told = iter([shown(access, principal, *both) for both in zip(allowed, answers, strict=True)])
        return [refused.get(place) or next(told) for place in range(len(query.questions))]

    async def _answer(
        self, query: QueryEnvelope, questions: Sequence[AnyQuestion], ask: Ask, arrived: float
    ) -> list[AnyAnswer]:
        deadline = arrived + query.deadline_ms / 1000 * _REPLY_MARGIN
        as_of = now()
        sinks = self._settings.ordered_for_reads()
        rebuilding = {sink for sink in sinks if self._standings.of(sink).rebuilding}

        def new_round() -> Round:
            return Round(
                ask,
                self._reputation,
                self._quickness,
                sinks=sinks,
                as_of=as_of,
                deadline=deadline,
                patience=self._settings.hedge_after.total_seconds(),
                rebuilding=rebuilding,
            )

        return await answer_questions(questions, new_round, ask_all=query.consistency == "all")


def read_query(body: bytes) -> QueryEnvelope:
    """The questions of a message.

    Raises:
        InvalidInput: names the field; the whole message is refused.
    """
    check_size(len(body))
    return validate(QUERY_ENVELOPE, check_schema(parse(body), "questions"), by_name=False)


def refusal(error: InvalidInput) -> Refusal:
    """The answer to a message that can't be answered."""
    return Refusal(
        field=_text(error.field, 200), problem=_text(error.problem, 500), hint=_text(error.hint, 200)
    )


def _text(text: str, most: int) -> str:
    """Text that can be sent: what somebody wrote into a field's name may hold half a character."""
    return text[:most].encode("utf-8", "replace").decode()
