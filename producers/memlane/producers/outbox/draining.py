"""What waits in an outbox on its way to the broker: message by message, in order."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import CONNECTION_EXCEPTIONS

from memlane.contracts.codec import MAX_COMMAND_BYTES, encode_envelope
from memlane.contracts.errors import BrokerUnreachable, PublishRefused, error_text
from memlane.contracts.limits import MAX_COMMANDS
from memlane.contracts.topology import COMMANDS
from memlane.producers import log_keys
from memlane.producers.broker.publisher import Publisher
from memlane.producers.outbox.file import Row
from memlane.producers.outbox.outbox import Outbox

log: Final = structlog.get_logger("memlane.outbox")


class Draining:
    """Sends the commands of one target, each deleted only after the broker's confirm.

    A message that the broker refuses for good is tried again with half of its commands, until the culprit is
    alone. That one is set aside; all else goes on.

    Args:
        outbox: where they wait.
        target: whose: the outbox's own, but for `memlane outbox flush --all`.
        account: of the connections that it is given.
        app_id: goes into the messages.
        confirm_timeout: how long the broker may take for one.
    """

    def __init__(
        self, outbox: Outbox, target: str, *, account: str, app_id: str, confirm_timeout: timedelta
    ) -> None:
        self._outbox = outbox
        self._target = target
        self._account = account
        self._app_id = app_id
        self._confirm_timeout = confirm_timeout
        self._most = MAX_COMMANDS
        self._publisher: Publisher | None = None

    async def step(self, connection: AbstractConnection) -> int | None:
        """Sends one message.

        Returns:
            How many commands the broker has confirmed; None where nothing waits.

        Raises:
            BrokerUnreachable: the connection was lost.
            PublishFailed: the broker does not take it now.
            OutboxFailed: the file can't be read or written.
        """
        file = self._outbox.file
        rows = await self._outbox.run(lambda: file.take(self._target, self._most, MAX_COMMAND_BYTES))
        if not rows:
            return None
        try:
            await self._publish(connection, encode_envelope([row.command for row in rows]))
        except PublishRefused as error:
            await self._refused(rows, error)
            return 0
        # Shielded: what is confirmed and not deleted would be sent again.
        await asyncio.shield(self._outbox.run(lambda: file.remove(rows)))
        self._most = min(MAX_COMMANDS, self._most * 2)
        return len(rows)

    def forget_connection(self) -> None:
        """The next step is on another connection."""
        self._publisher = None

    async def _refused(self, rows: list[Row], error: PublishRefused) -> None:
        self._publisher = None
        if len(rows) > 1 and not error.denied:
            self._most = len(rows) // 2
            return
        text = error_text(error)
        await self._outbox.run(lambda: self._outbox.file.set_aside(rows, text))
        self._most = MAX_COMMANDS
        log.error(
            "the broker refuses commands of the outbox; they are set aside (memlane outbox list)",
            **{log_keys.COUNT: len(rows), log_keys.ERROR: text},
        )

    async def _publish(self, connection: AbstractConnection, body: bytes) -> None:
        if self._publisher is None:
            try:
                self._publisher = await Publisher.open(
                    connection, user_id=self._account, confirm_timeout=self._confirm_timeout
                )
            except CONNECTION_EXCEPTIONS as error:
                raise BrokerUnreachable(f"the connection was lost: {error}") from error
        await self._publisher.publish(COMMANDS, "", body, app_id=self._app_id)
