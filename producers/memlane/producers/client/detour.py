"""When a client's commands go through its outbox, and when to the broker directly."""

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog

from memlane.contracts.errors import (
    BrokerRefused,
    BrokerUnreachable,
    MemlaneError,
    OutboxFailed,
    OutboxFull,
    PublishUnconfirmed,
)
from memlane.producers import log_keys
from memlane.producers.client.link import Link
from memlane.producers.outbox.outbox import Outbox

log: Final = structlog.get_logger("memlane.outbox")


class Detour:
    """The way through the outbox: taken while the broker is away, blocked by an alarm, or does not confirm.

    Args:
        link: the connection.
        outbox: of the same broker.
        after: how long a command waits for a lost connection, counted from the loss: only the first ones do.
    """

    def __init__(self, link: Link, outbox: Outbox, after: timedelta) -> None:
        self._link = link
        self._outbox = outbox
        self._after = after
        self._unconfirmed: MemlaneError | None = None
        self._bound: asyncio.Timeout | None = None
        self._told = False

    def reason(self) -> MemlaneError | None:
        """Why the next message goes into the outbox; None where the broker is to get it."""
        if self._link.blocked is not None:
            return _blocked(self._link.blocked)
        if self._unconfirmed is not None and self._link.is_open:
            return self._unconfirmed
        if self._link.is_open and not self._link.is_up and not self.patience():
            return self._link.error
        return None

    def patience(self) -> timedelta:
        """How much longer to wait for a connection."""
        return max(timedelta(0), self._after - self._link.down_for)

    def takes(self, error: MemlaneError) -> bool:
        """Whether what failed so goes into the outbox. What nobody would ever get is to be seen at once."""
        if isinstance(error, PublishUnconfirmed):
            self._unconfirmed = error
            return True
        return isinstance(error, BrokerRefused | BrokerUnreachable) and self._link.is_open

    def through(self) -> None:
        """The broker has confirmed something: from now on it gets messages directly."""
        self._unconfirmed = None
        self._told = False

    async def unless_blocked(self, publishing: Coroutine[Any, Any, None]) -> None:
        """Waits for a confirm, until the broker says that it takes no messages.

        Raises:
            PublishUnconfirmed: it said so; the message may still arrive.
            BrokerError: as publishing does.
        """
        try:
            async with asyncio.timeout(None) as self._bound:
                await publishing
        except TimeoutError:
            raise _blocked(self._link.blocked or "alarm") from None
        finally:
            self._bound = None

    def on_blocking(self, reason: str | None) -> None:
        """Told of the broker's alarms."""
        if reason is not None and self._bound is not None:
            self._bound.reschedule(asyncio.get_running_loop().time())

    async def put(self, commands: Sequence[bytes], problem: MemlaneError) -> list[OutboxFull | None]:
        """Puts encoded commands into the outbox; says for each why it was not taken.

        Raises:
            OutboxFailed: the file can't be written.
        """
        if not self._told:
            self._told = True
            log.warning(
                "commands wait in the outbox until the broker takes them", **{log_keys.REASON: str(problem)}
            )
        try:
            told = await self._outbox.append_each([[command] for command in commands])
        except OutboxFailed:
            # Nothing is in there that could get through later: the next write has to try by itself.
            self._unconfirmed = None
            raise
        for full in told:
            if full is not None:
                full.__cause__ = problem
        return told


def _blocked(reason: str) -> PublishUnconfirmed:
    return PublishUnconfirmed(
        f"RabbitMQ takes no messages while its alarm lasts: {reason}", hint="free its memory or disk"
    )
