"""Seeing that the broker blocks a connection.

Under an alarm (memory, disk) RabbitMQ reads nothing more from connections that publish, and says so to each.
The driver only logs that. What was sent meanwhile is taken when the alarm is over.
"""

from collections.abc import Callable
from typing import Final
from weakref import WeakKeyDictionary

import aiormq.connection
import structlog
from aio_pika.abc import AbstractConnection
from aiormq import spec

from memlane.producers import log_keys

log: Final = structlog.get_logger("memlane.broker")

_ON_BLOCKED: Final = "_Connection__handle_connection_blocked"
_ON_UNBLOCKED: Final = "_Connection__handle_connection_unblocked"


class Blocking:
    """Whether the broker takes what one connection publishes.

    Attributes:
        reason: why it does not, as the broker says it; None while it does.
    """

    def __init__(self) -> None:
        self.reason: str | None = None
        self._told: list[Callable[[str | None], None]] = []

    def subscribe(self, callback: Callable[[str | None], None]) -> None:
        """Has a callback told of each change, with the reason or None. It must not raise, nor block."""
        self._told.append(callback)

    def change(self, reason: str | None) -> None:
        """Takes what the broker said."""
        if reason == self.reason:
            return
        self.reason = reason
        if reason is None:
            log.info("the broker's alarm is over: it takes messages again")
        else:
            log.warning("the broker takes no messages while its alarm lasts", **{log_keys.REASON: reason})
        for callback in self._told:
            callback(reason)


_known: Final[WeakKeyDictionary[aiormq.abc.AbstractConnection, Blocking]] = WeakKeyDictionary()


def blocking_of(connection: AbstractConnection) -> Blocking:
    """What the broker says to an open connection. Only to one that publishes does it say anything."""
    transport = connection.transport
    return Blocking() if transport is None else _of(transport.connection)


def blocked_of(connection: AbstractConnection) -> str | None:
    """Why the broker takes nothing from this connection; None where it does, or has not said."""
    return blocking_of(connection).reason


def notice_blocking() -> None:
    """Makes the driver tell us. Calling it again changes nothing."""
    if getattr(aiormq.connection.Connection, _ON_BLOCKED) is not _on_blocked:
        setattr(aiormq.connection.Connection, _ON_BLOCKED, _on_blocked)
        setattr(aiormq.connection.Connection, _ON_UNBLOCKED, _on_unblocked)


# Instead of the driver's own, which make a publisher wait only where it has not begun: of no use to us.
async def _on_blocked(self: aiormq.connection.Connection, frame: spec.Connection.Blocked) -> None:
    _of(self).change(frame.reason or "alarm")


async def _on_unblocked(self: aiormq.connection.Connection, _frame: spec.Connection.Unblocked) -> None:
    _of(self).change(None)


def _of(connection: aiormq.abc.AbstractConnection) -> Blocking:
    return _known.setdefault(connection, Blocking())
