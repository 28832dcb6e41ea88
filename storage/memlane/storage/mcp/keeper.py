"""Keeping up one session with a server: a new one when the old one is over, after a pause.

The pause grows while the server does not start.
"""

import asyncio
import random
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from mcp import Client

from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.mcp.session import Needs, Session, ToolAnswer

FIRST_PAUSE_SECONDS: Final = 0.1
MAX_PAUSE_SECONDS: Final = 10.0
MAX_WAIT_SECONDS: Final = 0.5
"""A pause that is no longer is waited for; a longer one is told at once."""


class SessionKeeper:
    """Calls tools, over whatever session there is.

    Args:
        make_client: of the SDK, not entered; called for each session.
        needs: the tools that must be there.
        timeout: for each call.
        start_timeout: for the start of the server.
    """

    def __init__(
        self, make_client: Callable[[], Client], needs: Needs, timeout: timedelta, start_timeout: timedelta
    ) -> None:
        self._make_client = make_client
        self._needs = needs
        self._timeouts = (timeout, start_timeout)
        self._session: Session | None = None
        self._opening = asyncio.Lock()
        self._pause = 0.0
        self._not_before = 0.0
        self._problem = ""
        self._was_right = False

    async def call(self, tool: str, arguments: dict[str, Any]) -> ToolAnswer:
        """Calls a tool.

        Raises:
            SinkUnavailable: there is no server.
            SessionLost: it did not answer; whether it did what it was asked must be read back.
        """
        return await (await self._alive()).call(tool, arguments)

    async def probe(self) -> None:
        """Returns if the server answers now.

        Raises:
            SinkUnavailable: it does not.
        """
        await (await self._alive()).probe()

    @property
    def is_open(self) -> bool:
        """Whether there is a session."""
        return self._session is not None

    async def close(self) -> None:
        """Ends the session, and the server with it; the next call begins another one."""
        async with self._opening:
            if self._session is not None:
                await self._session.close()
                self._session = None

    async def _alive(self) -> Session:
        if self._session is not None and self._session.is_alive:
            return self._session
        async with self._opening:
            if self._session is None or not self._session.is_alive:
                self._session = await self._next()
            return self._session

    async def _next(self) -> Session:
        if self._session is not None:
            # Two servers on one store would lose each other's writes: the old one must have ended.
            await self._session.close()
            self._session = None
            # It had started well: whether a call has ended it, the next session will show.
            await asyncio.sleep(FIRST_PAUSE_SECONDS * random.uniform(0.5, 1))  # noqa: S311
        left = self._not_before - time.monotonic()
        if left > MAX_WAIT_SECONDS:
            raise SinkUnavailable(f"{self._problem}; it is tried again in {left:.1f} s")
        await asyncio.sleep(max(0.0, left))
        session = Session(self._make_client, *self._timeouts)
        try:
            await session.open(self._needs)
        except SinkUnavailable as error:
            self._put_off(error.message)
            raise
        except SinkMisconfigured as error:
            self._put_off(error.message)
            if not self._was_right:
                raise
            # It had all its tools before: that is no fault of what is being applied.
            raise SinkUnavailable(error.message, hint=error.hint) from error
        self._was_right = True
        self._pause = 0.0
        return session

    def _put_off(self, problem: str) -> None:
        """The next start waits: twice as long as the one before, and by chance up to half as long again."""
        self._problem = problem
        self._pause = min(MAX_PAUSE_SECONDS, self._pause * 2 or FIRST_PAUSE_SECONDS)
        self._not_before = time.monotonic() + self._pause * random.uniform(1, 1.5)  # noqa: S311
