"""Brings what waits in a client's outbox to the broker, whenever that is there."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import structlog

from memlane.contracts.errors import BrokerError, OutboxError
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect
from memlane.producers.broker.nodes import user_of
from memlane.producers.outbox.draining import Draining
from memlane.producers.outbox.lock import DrainLock
from memlane.producers.outbox.outbox import Outbox

log: Final = structlog.get_logger("memlane.outbox")

IDLE_SECONDS: Final = 5.0
"""How often it looks whether another process has left something."""

_BUSY_SECONDS: Final = 0.2
_FIRST_DELAY_SECONDS: Final = 0.2
_MAX_DELAY_SECONDS: Final = 30.0
_LOOK_SECONDS: Final = 0.02


class Drainer:
    """Sends what waits for one target, on a connection of its own that lasts while there is something.

    Of several processes one does it at a time. What the broker does not take now is tried again after
    0.2 s to 30 s; what it refuses for good is set aside.

    Args:
        outbox: where it waits.
        urls: the broker.
        app_id: of the client.
        confirm_timeout: how long the broker may take for a message.
        may_send: whether there is a broker that takes messages, as far as that is known.
        on_through: told when the broker has confirmed something, or when nothing waits.

    Attributes:
        problem: why the last try failed; empty where it did not.
    """

    def __init__(
        self,
        outbox: Outbox,
        urls: str,
        *,
        app_id: str,
        confirm_timeout: timedelta,
        may_send: Callable[[], bool],
        on_through: Callable[[], None],
    ) -> None:
        self.problem = ""
        self._outbox = outbox
        self._urls = urls
        self._may_send = may_send
        self._on_through = on_through
        self._woken = asyncio.Event()
        self._delay = 0.0
        self._not_before = 0.0
        self._draining = Draining(
            outbox,
            outbox.target,
            account=user_of(urls),
            app_id=app_id,
            confirm_timeout=confirm_timeout,
        )

    def wake(self) -> None:
        """Something new waits. After a failure, it is sent with the next try."""
        if asyncio.get_running_loop().time() >= self._not_before:
            self._woken.set()

    def retry(self) -> None:
        """The broker may be there again: tries at once."""
        self._delay = self._not_before = 0.0
        self._woken.set()

    async def run(self) -> None:
        """Works until it is cancelled."""
        while True:
            try:
                again = await self._turn()
                self.problem = ""
            except (BrokerError, OutboxError) as error:
                again = self._failed(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(again):
                    await self._woken.wait()
            self._woken.clear()

    async def until_sent(self) -> None:
        """Returns when nothing waits any more of what waits now.

        Raises:
            OutboxFailed: the file can't be read.
        """
        file, target = self._outbox.file, self._outbox.target
        if not file.exists():
            return
        last = await self._outbox.run(lambda: file.last_id(target))
        if last:
            self.retry()
        # Another process may be the one that sends it: only the file knows.
        while await self._outbox.run(lambda: file.waits(target, last)):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def _turn(self) -> float:
        """Sends all that waits, if it can; returns after how many seconds to look again."""
        if not self._may_send() or not self._outbox.file.exists():
            return IDLE_SECONDS
        if not (await self._outbox.status()).waiting:
            self._on_through()
            return IDLE_SECONDS
        with DrainLock(self._outbox.file.path, self._outbox.target) as lock:
            if not lock.held:
                return _BUSY_SECONDS
            await self._drain()
        return IDLE_SECONDS

    async def _drain(self) -> None:
        sent = 0
        self._draining.forget_connection()
        async with await connect(self._urls, "memlane client outbox") as connection:
            while (count := await self._draining.step(connection)) is not None:
                sent += count
                self._delay = 0.0
                if count:
                    self._on_through()
        await self._outbox.run(self._outbox.file.shrink)
        log.info("the outbox is empty: the broker has what waited in it", **{log_keys.COUNT: sent})

    def _failed(self, error: BrokerError | OutboxError) -> float:
        self.problem = str(error)
        self._delay = min(self._delay * 2 or _FIRST_DELAY_SECONDS, _MAX_DELAY_SECONDS)
        self._not_before = asyncio.get_running_loop().time() + self._delay
        log.warning(
            "what waits in the outbox can't be sent now, trying again",
            **{log_keys.ERROR: self.problem, log_keys.SECONDS: round(self._delay, 1)},
        )
        return self._delay
