"""Asking one sink, and keeping in mind how it has been lately."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from aio_pika import Message
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from memlane.contracts.errors import InvalidInput, error_text
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.query import AnySinkQuestion, SinkQueryEnvelope
from memlane.contracts.reply import SinkReply
from memlane.contracts.reply_codec import decode_sink_reply
from memlane.contracts.topology import sink_query_queue
from memlane.storage.sink import Sink
from memlane.workers.responder.answering import answer

FAILURES_TO_AVOID: Final = 3
AVOID_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A sink's reply, and how long it took."""

    reply: SinkReply
    ms: float


class Ask(Protocol):
    """Puts questions to one sink."""

    async def __call__(
        self, sink: str, questions: Sequence[AnySinkQuestion], as_of: datetime, seconds: float
    ) -> Asked:
        """The sink's reply, or one with the status `timeout`; never raises for a sink that is away."""


class LocalAsker:
    """Asks the sinks of this process directly, and all others over the broker.

    Args:
        local: the sinks that have a responder in this process, by name.
        remote: for the others.
    """

    def __init__(self, local: Mapping[str, Sink], remote: Ask) -> None:
        self._local = local
        self._remote = remote

    async def __call__(
        self, sink: str, questions: Sequence[AnySinkQuestion], as_of: datetime, seconds: float
    ) -> Asked:
        """See `Ask`."""
        local = self._local.get(sink)
        if local is None:
            return await self._remote(sink, questions, as_of, seconds)
        started = time.perf_counter()
        try:
            async with asyncio.timeout(seconds):
                reply = await answer(local, questions, as_of)
        except TimeoutError:
            reply = _timed_out(sink)
        return Asked(reply, _milliseconds_since(started))


class RemoteAsker:
    """Sends questions to the sinks' queues, and matches the replies.

    Args:
        channel: without confirms; replies come to the same channel by direct reply-to.
        account: that of the connection; responders go by it where there are access rules.
    """

    def __init__(self, channel: AbstractChannel, account: str) -> None:
        self._account = account
        self._channel = channel
        self._waiting: dict[str, asyncio.Future[bytes]] = {}

    async def open(self) -> None:
        """Starts to listen for replies."""
        queue = await self._channel.get_queue(DIRECT_REPLY_TO, ensure=False)
        await queue.consume(self._on_reply, no_ack=True)

    async def __call__(
        self, sink: str, questions: Sequence[AnySinkQuestion], as_of: datetime, seconds: float
    ) -> Asked:
        """See `Ask`."""
        started = time.perf_counter()
        correlation_id = uuid4().hex
        future = asyncio.get_running_loop().create_future()
        self._waiting[correlation_id] = future
        body = SinkQueryEnvelope(questions=list(questions), as_of=as_of).model_dump_json(by_alias=True)
        message = Message(
            body.encode(),
            content_type="application/json",
            correlation_id=correlation_id,
            reply_to=DIRECT_REPLY_TO,
            user_id=self._account,
            expiration=max(seconds, 0.001),
        )
        try:
            async with asyncio.timeout(seconds):
                await self._channel.default_exchange.publish(message, sink_query_queue(sink), mandatory=False)
                reply = decode_sink_reply(await future)
        except TimeoutError:
            reply = _timed_out(sink)
        except InvalidInput as error:
            reason = error_text(error)
            reply = SinkReply(sink=sink, status="unavailable", reason=f"its reply can't be read: {reason}")
        finally:
            del self._waiting[correlation_id]
        return Asked(reply, _milliseconds_since(started))

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        future = self._waiting.get(message.correlation_id or "")
        if future is not None and not future.done():
            future.set_result(message.body)


class Reputation:
    """How the sinks have answered lately, so that one that is away delays nobody.

    After three failures in a row a sink is asked only once in two seconds, until it answers again; but
    it is asked while no other sink answers either.
    """

    def __init__(self) -> None:
        self._failures: dict[str, int] = {}
        self._ask_again: dict[str, float] = {}

    def may_ask(self, sink: str, among: Sequence[str], now: float) -> bool:
        """Whether to ask this sink now, among these. A True counts as the one try of the time."""
        if self._answers(sink) or not any(self._answers(other) for other in among):
            return True
        if now < self._ask_again.get(sink, 0.0):
            return False
        self._ask_again[sink] = now + AVOID_SECONDS
        return True

    def _answers(self, sink: str) -> bool:
        return self._failures.get(sink, 0) < FAILURES_TO_AVOID

    def saw(self, sink: str, *, ok: bool, now: float) -> None:
        """Notes how a sink answered."""
        self._failures[sink] = 0 if ok else self._failures.get(sink, 0) + 1
        if not ok:
            self._ask_again[sink] = now + AVOID_SECONDS


def _timed_out(sink: str) -> SinkReply:
    return SinkReply(sink=sink, status="timeout", reason="no answer in time")


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)
