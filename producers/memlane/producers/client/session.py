"""What a client has while one connection lasts: a way for commands, and a way for questions."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from aio_pika import Message
from aio_pika.abc import AbstractChannel

from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.topology import COMMANDS, QUERIES
from memlane.producers.broker.driver import Blocking
from memlane.producers.broker.publisher import Publisher


class Incoming(Protocol):
    """A receipt or a reply."""

    @property
    def body(self) -> bytes:
        """What it says."""

    @property
    def correlation_id(self) -> str | None:
        """Of the question that it answers."""


class Session(Protocol):
    """One connection."""

    @property
    def lost(self) -> asyncio.Event:
        """Is set when the connection has gone."""

    @property
    def blocked(self) -> str | None:
        """Why no messages are taken now; None where they are."""

    async def send(self, body: bytes, *, app_id: str, wants_receipt: bool) -> None:
        """Publishes commands, and returns when that is confirmed.

        Args:
            body: a message, encoded.
            app_id: of the client.
            wants_receipt: whether the lanes shall say what they decided.

        Raises:
            BrokerError: as `Publisher.publish`.
        """

    async def ask(self, body: bytes, correlation_id: str, seconds: float) -> None:
        """Publishes questions, without a confirm.

        Args:
            body: a message, encoded.
            correlation_id: comes back with the reply.
            seconds: after that nobody waits for it any more.

        Raises:
            one of `aio_pika.exceptions.CONNECTION_EXCEPTIONS`: the connection has gone.
        """


@dataclass(frozen=True, slots=True)
class BrokerSession:
    """A session with RabbitMQ; see `Session`.

    Attributes:
        commands: confirmed publishing; receipts come back on its channel.
        questions: unconfirmed publishing; replies come back on it.
        account: that of the connection, which goes into each message.
        lost: is set when the connection has gone.
        blocking: what the broker says of its alarms.
    """

    commands: Publisher
    questions: AbstractChannel
    account: str
    lost: asyncio.Event
    blocking: Blocking

    @property
    def blocked(self) -> str | None:
        """See `Session.blocked`."""
        return self.blocking.reason

    async def send(self, body: bytes, *, app_id: str, wants_receipt: bool) -> None:
        """See `Session.send`."""
        reply_to = DIRECT_REPLY_TO if wants_receipt else None
        await self.commands.publish(COMMANDS, "", body, reply_to=reply_to, app_id=app_id)

    async def ask(self, body: bytes, correlation_id: str, seconds: float) -> None:
        """See `Session.ask`."""
        exchange = await self.questions.get_exchange(QUERIES, ensure=False)
        message = Message(
            body,
            content_type="application/json",
            correlation_id=correlation_id,
            reply_to=DIRECT_REPLY_TO,
            expiration=seconds,
            user_id=self.account,
        )
        await exchange.publish(message, "", mandatory=False)
