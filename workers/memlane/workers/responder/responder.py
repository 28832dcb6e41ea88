"""Takes questions for one sink from their queue, and replies."""

import asyncio
import math
import time
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from memlane.contracts.canonical import parse
from memlane.contracts.errors import InvalidInput, error_text
from memlane.contracts.query import SINK_QUERY_ENVELOPE
from memlane.contracts.reply import SinkReply
from memlane.contracts.reply_codec import encode_sink_reply
from memlane.contracts.topology import sink_query_queue
from memlane.contracts.validation import validate
from memlane.producers import log_keys
from memlane.storage.sink import Sink
from memlane.workers.access import access_of
from memlane.workers.consuming import wait_while_consuming
from memlane.workers.in_hand import OVERLOADED, InHand
from memlane.workers.replying import Replier, is_reply_address
from memlane.workers.responder.answering import answer
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings

log: Final = structlog.get_logger("memlane.responder")


NO_WORKER: Final = "with access rules it takes questions from worker accounts only"


class Responder(ConnectedRole):
    """Answers one sink's questions until it is stopped. Any number of them share the queue.

    Questions are taken without ack: who asked sees a missing answer at its deadline.
    """

    def __init__(self, sink: Sink, settings: WorkerSettings) -> None:
        super().__init__(f"responder {sink.name}", settings)
        self._sink = sink
        self._access = access_of(settings)
        self._room = asyncio.Semaphore(settings.responder_concurrency)

    async def _session(self, consuming: AbstractConnection) -> None:
        async with Replier(self._settings.url, f"memlane responder {self._sink.name} reply") as replier:
            await self._serve(consuming, replier)

    async def _serve(self, consuming: AbstractConnection, replier: Replier) -> None:
        in_hand = InHand()
        channel = await consuming.channel()
        queue = await channel.get_queue(sink_query_queue(self._sink.name), ensure=False)

        async def on_question(message: AbstractIncomingMessage) -> None:
            if in_hand.begins_to_be_full():
                log.warning(OVERLOADED, **{log_keys.SINK: self._sink.name})
            if in_hand.is_full:
                return
            until = time.monotonic() + _seconds_to_live(message)
            with in_hand:
                async with self._room:
                    # Who asked has given up meanwhile.
                    if time.monotonic() < until:
                        await self._reply(message, replier)

        tag = await queue.consume(on_question, no_ack=True)
        self.state.to("running")
        await wait_while_consuming(channel, tag, self._stopping)
        await queue.cancel(tag)
        await in_hand.finish(self._settings.drain_timeout)

    async def _reply(self, message: AbstractIncomingMessage, replier: Replier) -> None:
        reply_to = message.reply_to
        if reply_to is None or not is_reply_address(reply_to):
            log.warning("question without a direct reply address dropped", **{log_keys.SINK: self._sink.name})
            return
        if self._access is not None and message.user_id not in self._access.worker_accounts:
            log.warning("question from no worker account refused", **{log_keys.SINK: self._sink.name})
            reply = SinkReply(sink=self._sink.name, status="unavailable", reason=NO_WORKER)
            await replier.send(reply_to, encode_sink_reply(reply), message.correlation_id)
            return
        try:
            query = validate(SINK_QUERY_ENVELOPE, parse(message.body))
            reply = await answer(self._sink, query.questions, query.as_of)
        except InvalidInput as error:
            reply = SinkReply(sink=self._sink.name, status="unavailable", reason=error_text(error))
        await replier.send(reply_to, encode_sink_reply(reply), message.correlation_id)


def _seconds_to_live(message: AbstractIncomingMessage) -> float:
    """How long an answer is of use; without end where the message does not say."""
    expiration = message.expiration
    return float(expiration) if isinstance(expiration, int | float) else math.inf
