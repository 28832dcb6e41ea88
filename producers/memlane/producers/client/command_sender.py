"""Commands on their way to the broker. Those that queue behind the publish in flight go out together."""

import asyncio
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import NamedTuple

from memlane.contracts.codec import MAX_COMMAND_BYTES, encode_envelope
from memlane.contracts.errors import (
    BrokerRefused,
    BrokerUnreachable,
    MemlaneError,
    PublishFailed,
    PublishRefused,
)
from memlane.contracts.limits import MAX_COMMANDS
from memlane.producers.client.detour import Detour
from memlane.producers.client.link import Link


class _Waiting(NamedTuple):
    encoded: bytes
    confirmed: "asyncio.Future[bool]"
    wants_receipt: bool
    until: float


class CommandSender:
    """Publishes commands, each confirmed by the broker; where that is away, puts them into the outbox.

    A single command waits for nothing. While one message is in flight, further commands gather, and go
    out as one message of up to 500 commands and 1 MiB when it is confirmed.

    Args:
        link: the connection.
        timeout: how long a command may wait for a connection.
        app_id: of this client, the same in all of its messages.
        detour: the way through the outbox; None where there is none.
    """

    def __init__(self, link: Link, timeout: timedelta, app_id: str, detour: Detour | None = None) -> None:
        self._link = link
        self._timeout = timeout
        self._app_id = app_id
        self._detour = detour
        self._pending: deque[_Waiting] = deque()
        self._flight: asyncio.Task[None] | None = None
        self._most = MAX_COMMANDS

    async def send(self, encoded: bytes, *, wants_receipt: bool = False) -> bool:
        """Returns when the broker has confirmed the command, or the outbox has it.

        Args:
            encoded: by `encode_command`.
            wants_receipt: whether the lanes shall say what they decided.

        Returns:
            Whether the broker has confirmed it.

        Raises:
            BrokerUnreachable: not connected within the timeout; the command may have arrived. Not where
                there is an outbox.
            PublishFailed: not taken, or (where there is no outbox) no confirm within the timeout.
            PublishRefused: the broker refuses it for good.
            OutboxError: the broker is away, and the outbox takes no more.
        """
        return await self.enqueue(encoded, wants_receipt=wants_receipt)

    def enqueue(self, encoded: bytes, *, wants_receipt: bool = False) -> "asyncio.Future[bool]":
        """The same without waiting: the future is done when the command is confirmed, or in the outbox."""
        loop = asyncio.get_running_loop()
        confirmed = loop.create_future()
        until = loop.time() + self._timeout.total_seconds()
        self._pending.append(_Waiting(encoded, confirmed, wants_receipt, until))
        if self._flight is None:
            self._flight = asyncio.create_task(self._fly())
        return confirmed

    async def flush(self) -> None:
        """Returns when everything sent before is confirmed, in the outbox, or has failed."""
        if self._flight is not None:
            await asyncio.wait({self._flight})

    async def _fly(self) -> None:
        batch: list[_Waiting] = []
        try:
            while self._pending:
                batch = self._take()
                try:
                    await self._forward(batch)
                except PublishRefused as error:
                    self._refused(batch, error)
                except MemlaneError as error:
                    _fail(batch, error)
                    self._fail_overdue(error)
        except BaseException as error:
            _fail(batch, PublishFailed(f"publishing broke off: {error!r}"))
            raise
        finally:
            self._flight = None
            _fail(self._pending, BrokerUnreachable("the client is closed"))
            self._pending.clear()

    async def _forward(self, batch: list[_Waiting]) -> None:
        """To the broker; or to the outbox, and with it all that has queued up behind."""
        detour = self._detour
        if detour is None:
            await self._publish(batch)
        elif (problem := detour.reason()) is not None:
            await self._put_aside(detour, batch, problem)
            return
        else:
            try:
                await self._publish(batch)
            except (BrokerRefused, BrokerUnreachable, PublishFailed) as error:
                if not detour.takes(error):
                    raise
                await self._put_aside(detour, batch, error)
                return
            detour.through()
        self._most = MAX_COMMANDS
        for waiting in batch:
            if not waiting.confirmed.done():
                waiting.confirmed.set_result(True)

    async def _put_aside(self, detour: Detour, batch: list[_Waiting], problem: MemlaneError) -> None:
        everything = [*batch, *self._pending]
        self._pending.clear()
        try:
            told = await detour.put([waiting.encoded for waiting in everything], problem)
        except MemlaneError as error:
            _fail(everything, error)
            return
        except BaseException as error:
            _fail(everything, PublishFailed(f"queueing broke off: {error!r}"))
            raise
        for waiting, full in zip(everything, told, strict=True):
            if full is not None:
                _fail([waiting], full)
            elif not waiting.confirmed.done():
                waiting.confirmed.set_result(False)

    def _refused(self, batch: list[_Waiting], error: PublishRefused) -> None:
        """Only the culprit fails: it is looked for in ever smaller messages."""
        if error.denied or len(batch) == 1:
            self._most = MAX_COMMANDS
            _fail(batch, error)
        else:
            self._most = len(batch) // 2
            self._pending.extendleft(reversed(batch))

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
        while self._pending and len(batch) < self._most and len(self._pending[0].encoded) <= room:
            waiting = self._pending.popleft()
            room -= len(waiting.encoded) + 1
            batch.append(waiting)
        return batch

    async def _publish(self, batch: list[_Waiting]) -> None:
        """Publishes one message; again after a lost connection, which is safe: commands are idempotent."""
        body = encode_envelope([waiting.encoded for waiting in batch])
        wants_receipt = any(waiting.wants_receipt for waiting in batch)
        until = batch[0].until
        while True:
            left = timedelta(seconds=max(0.0, until - asyncio.get_running_loop().time()))
            if self._detour is not None:
                left = min(left, self._detour.patience())
            session = await self._link.session(left)
            publishing = session.send(body, app_id=self._app_id, wants_receipt=wants_receipt)
            try:
                if self._detour is None:
                    await publishing
                else:
                    await self._detour.unless_blocked(publishing)
            except BrokerUnreachable:
                if asyncio.get_running_loop().time() >= until:
                    raise
                with suppress(TimeoutError):
                    await asyncio.wait_for(session.lost.wait(), left.total_seconds())
            else:
                return


def _fail(batch: Iterable[_Waiting], error: MemlaneError) -> None:
    for waiting in batch:
        if not waiting.confirmed.done():
            waiting.confirmed.set_exception(error)
