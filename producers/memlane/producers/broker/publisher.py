"""Publishing with a confirm: when it returns, the broker has the message in every queue it belongs in."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final
from uuid import uuid4

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, HeadersType
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    ChannelInvalidStateError,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    PublishError,
)
from aiormq.exceptions import ChannelAccessRefused

from memlane.contracts.errors import BrokerUnreachable, PublishFailed, PublishRefused, PublishUnconfirmed

CONFIRM_TIMEOUT: Final = timedelta(seconds=30)
DEFAULT_EXCHANGE: Final = ""
_START_HINT: Final = "start `memlane up`, or `memlane topology apply`"


class Publisher:
    """Publishes durable messages on a channel of its own, each confirmed.

    Args:
        channel: opened with publisher confirms and `on_return_raises`.
        user_id: the account of the connection, which the broker checks; goes into each message.
        confirm_timeout: how long to wait for one confirm.
    """

    def __init__(
        self,
        channel: AbstractChannel,
        *,
        user_id: str | None = None,
        confirm_timeout: timedelta = CONFIRM_TIMEOUT,
    ) -> None:
        self._channel = channel
        self._user_id = user_id
        self._confirm_seconds = confirm_timeout.total_seconds()
        self._exchanges: dict[str, AbstractExchange] = {}

    @classmethod
    async def open(
        cls,
        connection: AbstractConnection,
        *,
        user_id: str | None = None,
        confirm_timeout: timedelta = CONFIRM_TIMEOUT,
    ) -> "Publisher":
        """A publisher on a new channel of the connection."""
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        return cls(channel, user_id=user_id, confirm_timeout=confirm_timeout)

    @property
    def channel(self) -> AbstractChannel:
        """Where it publishes; direct replies must be consumed on the same."""
        return self._channel

    async def publish(
        self,
        exchange: str,
        routing_key: str,
        body: bytes,
        *,
        headers: HeadersType | None = None,
        reply_to: str | None = None,
        correlation_id: str | None = None,
        app_id: str | None = None,
    ) -> None:
        """Publishes one message and waits for the broker's confirm.

        Raises:
            PublishFailed: not taken by a queue, not routable, or no such exchange.
            PublishUnconfirmed: not confirmed in time; it may still arrive.
            PublishRefused: the broker takes no such message, or none from this account. The channel has
                gone with it, and whatever else was under way on it fails likewise.
            BrokerUnreachable: the connection was lost; it may still have arrived.
        """
        # A new message_id for every attempt: returned messages are matched by it.
        message = Message(
            body,
            headers=headers,
            content_type="application/json",
            delivery_mode=DeliveryMode.PERSISTENT,
            message_id=uuid4().hex,
            reply_to=reply_to,
            correlation_id=correlation_id,
            user_id=self._user_id,
            app_id=app_id,
        )
        target = exchange or routing_key
        try:
            async with asyncio.timeout(self._confirm_seconds):
                await (await self._exchange(exchange)).publish(message, routing_key, mandatory=True)
        except PublishError as error:
            raise PublishFailed(
                f"no queue takes messages for {target}",
                hint="start `memlane up`, or `memlane topology apply`",
            ) from error
        except DeliveryError as error:
            await self._give_up()
            raise PublishFailed(
                f"RabbitMQ refused a message for {target}",
                hint="is a queue full, or its node just gone? then say it again",
            ) from error
        except TimeoutError as error:
            raise PublishUnconfirmed(
                f"no confirm for {target} within {self._confirm_seconds:g} s", hint="is the broker blocked?"
            ) from error
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            raise _refusal(target, error) from error
        except (ChannelNotFoundEntity, ChannelInvalidStateError) as error:
            raise self._channel_error(target, error) from error
        except CONNECTION_EXCEPTIONS as error:
            raise BrokerUnreachable(
                f"the connection was lost while publishing to {target}: {error}"
            ) from error

    async def _give_up(self) -> None:
        """Closes the channel: what is published next finds it gone, and a new session begins.

        A channel keeps who leads a stream. One that was opened while a node died may keep the dead one, and
        refuses everything from then on, while every new channel takes it (seen with RabbitMQ 3.10).
        """
        with suppress(*CONNECTION_EXCEPTIONS):
            await self._channel.close()

    async def _exchange(self, name: str) -> AbstractExchange:
        if name not in self._exchanges:
            found = self._channel.default_exchange if not name else None
            self._exchanges[name] = found or await self._channel.get_exchange(name, ensure=False)
        return self._exchanges[name]

    def _channel_error(self, target: str, error: Exception) -> PublishFailed | BrokerUnreachable:
        if isinstance(error, ChannelNotFoundEntity):
            return PublishFailed(f"RabbitMQ has no exchange {target}", hint=_START_HINT)
        return BrokerUnreachable(f"the channel was lost while publishing to {target}: {error}")


def _refusal(target: str, error: ChannelAccessRefused | ChannelPreconditionFailed) -> PublishRefused:
    denied = isinstance(error, ChannelAccessRefused)
    hint = f"the account needs the right to write {target}" if denied else "see what the broker says of it"
    text = error.args[-1] if error.args else error
    return PublishRefused(f"RabbitMQ refused a message for {target}: {text}", hint=hint, denied=denied)
