"""Commands on their way to the broker. Those that queue behind the publish in flight go out together."""

import asyncio
from collections import deque
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from memlane.contracts.codec import MAX_COMMAND_BYTES, encode_envelope
from memlane.contracts.errors import BrokerUnreachable, MemlaneError, PublishFailed
from memlane.contracts.headers import DIRECT_REPLY_TO
from memlane.contracts.limits import MAX_COMMANDS
from memlane.contracts.topology import COMMANDS
from memlane.producers.client.link import Link


class _Waiting(NamedTuple):
    encoded: bytes
    confirmed: "asyncio.Future[None]"
    wants_receipt: bool
    until: float


class CommandSender:
    """Publishes commands, each confirmed by the broker.

    A single command waits for nothing. While one message is in flight, further commands gather, and go
    out as one message of up to 500 commands and 1 MiB when it is confirmed.

    Args:
        link: the connection.
        timeout: how long a command may wait for a connection.
        app_id: of this client, the same in all of its messages.
    """

    def __init__(self, link: Link, timeout: timedelta, app_id: str) -> None:
        self._link = link
        self._timeout = timeout
        self._app_id = app_id
        self._pending: deque[_Waiting] = deque()
        self._flight: asyncio.Task[None] | None = None

    async def send(self, encoded: bytes, *, wants_receipt: bool = False) -> None:
        """Returns when the broker has confirmed the command.

        Args:
            encoded: by `encode_command`.
            wants_receipt: whether the lanes shall say what they decided.

        Raises:
            BrokerUnreachable: not connected within the timeout; the command may have arrived.
            PublishFailed: refused, or no confirm within the timeout.
        """
        await self.enqueue(encoded, wants_receipt=wants_receipt)

    def enqueue(self, encoded: bytes, *, wants_receipt: bool = False) -> "asyncio.Future[None]":
        """The same without waiting: the future is done when the command is confirmed."""
        loop = asyncio.get_running_loop()
        confirmed = loop.create_future()
        until = loop.time() + self._timeout.total_seconds()
        self._pending.append(_Waiting(encoded, confirmed, wants_receipt, until))
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        return confirmed

    async def flush(self) -> None:
        """Returns when everything sent before is confirmed or has failed."""
        if self._flight is not None:
            await asyncio.wait({self._flight})

    async def _fly(self) -> None:
        try:
            while self._pending:
                batch = self._take()
                try:
                    await self._publish(batch)
                except MemlaneError as error:
                    _fail(batch, error)
                    self._fail_overdue(error)
                except BaseException as error:
                    _fail(batch, PublishFailed(f"publishing broke off: {error!r}"))
                    raise
                else:
                    for waiting in batch:
                        if not waiting.confirmed.done():
                            waiting.confirmed.set_result(None)
        finally:
            self._flight = None
            _fail(self._pending, BrokerUnreachable("the client is closed"))
            self._pending.clear()

    def _fail_overdue(self, error: MemlaneError) -> None:
        """What has waited for so long behind a failure fails with it: not one message after the other."""
        now = asyncio.get_running_loop().time()
        overdue = 0
        while overdue < len(self._pending) and self._pending[overdue].until <= now:
            overdue += 1
        _fail([self._pending.popleft() for _ in range(overdue)], error)

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        room = MAX_COMMAND_BYTES
        while self._pending and len(batch) < MAX_COMMANDS and len(self._pending[0].encoded) <= room:
            waiting = self._pending.popleft()
            room -= len(waiting.encoded) + 1
            batch.append(waiting)
        return batch

    async def _publish(self, batch: list[_Waiting]) -> None:
        """Publishes one message; again after a lost connection, which is safe: commands are idempotent."""
        body = encode_envelope([waiting.encoded for waiting in batch])
        reply_to = DIRECT_REPLY_TO if any(waiting.wants_receipt for waiting in batch) else None
        until = batch[0].until
        while True:
            left = timedelta(seconds=max(0.0, until - asyncio.get_running_loop().time()))
            session = await self._link.session(left)
            try:
                await session.commands.publish(COMMANDS, "", body, reply_to=reply_to, app_id=self._app_id)
            except BrokerUnreachable:
                if asyncio.get_running_loop().time() >= until:
                    raise
                with suppress(TimeoutError):
                    await asyncio.wait_for(session.lost.wait(), left.total_seconds())
            else:
                return


def _fail(batch: "list[_Waiting] | deque[_Waiting]", error: MemlaneError) -> None:
    for waiting in batch:
        if not waiting.confirmed.done():
            waiting.confirmed.set_exception(error)
