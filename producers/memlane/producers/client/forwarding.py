"""A client's outbox, and what empties it: opened, flushed and closed with the client."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Final

from memlane.contracts.errors import InvalidInput, OutboxError
from memlane.producers.client.command_sender import CommandSender
from memlane.producers.client.detour import Detour
from memlane.producers.client.link import Link
from memlane.producers.ending import end
from memlane.producers.outbox.drainer import Drainer
from memlane.producers.outbox.outbox import outbox_of
from memlane.producers.outbox.status import OutboxStatus
from memlane.producers.settings import ClientSettings

LAST_DRAIN: Final = timedelta(seconds=2)
"""How long a client that is closed lets a connected drain go on. The rest stays on the disk."""


class Forwarding:
    """Sends commands: to the broker, or to the outbox and from there to the broker.

    Args:
        link: the connection.
        urls: the broker.
        settings: the client's.
        app_id: of this client.

    Attributes:
        sender: takes the commands.
    """

    def __init__(self, link: Link, urls: str, settings: ClientSettings, app_id: str) -> None:
        self._link = link
        self._outbox = outbox_of(settings, urls) if settings.outbox else None
        self._drainer: Drainer | None = None
        self._running: asyncio.Task[None] | None = None
        detour = None
        if self._outbox is not None:
            detour = Detour(link, self._outbox, settings.outbox_after)
            self._drainer = Drainer(
                self._outbox,
                urls,
                app_id=app_id,
                confirm_timeout=settings.publish_timeout,
                may_send=lambda: link.is_up and link.blocked is None,
                on_through=detour.through,
            )
            self._outbox.on_append = self._drainer.wake
        self._detour = detour
        self.sender = CommandSender(link, settings.publish_timeout, app_id, detour)

    async def open(self) -> None:
        """Connects; where the broker is away and the outbox can be written, goes on without it.

        Raises:
            BrokerUnreachable: nothing answers there, and there is no outbox.
            BrokerRefused: wrong credentials.
        """
        if self._drainer is not None and self._detour is not None:
            self._link.on_up = self._drainer.retry
            self._link.on_blocking = self._on_blocking
        await self._link.open(may_be_away=self._can_be_written)
        if self._drainer is not None:
            self._running = asyncio.create_task(self._drainer.run())

    async def close(self) -> None:
        """Finishes what is under way, as far as the broker is there."""
        await self.sender.flush()
        if self._drainer is not None and self._outbox is not None:
            if self._link.is_up and self._link.blocked is None:
                with suppress(TimeoutError, OutboxError):
                    async with asyncio.timeout(LAST_DRAIN.total_seconds()):
                        await self._drainer.until_sent()
            if self._running is not None:
                await end(self._running)
            await self._outbox.close()

    async def append(self, commands: list[bytes]) -> None:
        """Puts encoded commands into the outbox, all or none, and returns when they are on the disk.

        Raises:
            OutboxError: it is full, or can't be written.
            InvalidInput: there is no outbox.
            BrokerUnreachable: the client is not open.
        """
        if self._outbox is None:
            raise InvalidInput("wait", "there is no outbox", hint="set MEMLANE_OUTBOX=true")
        if not self._link.is_open:
            raise self._link.error
        await self._outbox.append(commands)

    async def flush(self, within: timedelta | None) -> OutboxStatus:
        """See `MemoryClient.flush`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(None if within is None else within.total_seconds()):
                await self.sender.flush()
                if self._drainer is not None:
                    await self._drainer.until_sent()
        return await self.status()

    async def status(self) -> OutboxStatus:
        """What waits.

        Raises:
            OutboxFailed: the file can't be read.
        """
        return OutboxStatus() if self._outbox is None else await self._outbox.status()

    @property
    def is_away(self) -> bool:
        """Whether commands go into the outbox now."""
        return self._detour is not None and self._detour.reason() is not None

    def _on_blocking(self, reason: str | None) -> None:
        if self._detour is not None and self._drainer is not None:
            self._detour.on_blocking(reason)
            if reason is None:
                self._drainer.retry()

    async def _can_be_written(self) -> bool:
        if self._outbox is None:
            return False
        try:
            await self._outbox.run(self._outbox.file.open)
        except OutboxError:
            return False
        return True
