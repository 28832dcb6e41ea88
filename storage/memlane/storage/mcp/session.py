"""One session with an MCP server, from its start to its end.

The SDK's client must be entered, used and left by one and the same task: the *owner*. Everybody else puts
calls into its queue, which is bounded; they are made one after the other. A session that has timed out or
broken is over: a call that got no answer may still be carried out later, so a server that was started here is
stopped before anything else is asked, and a new session reads back what is there. (A server over HTTP can't
be stopped: a write that it carries out later than that is found by the sweeps.)
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from mcp import Client, MCPError
from mcp.types import REQUEST_TIMEOUT, TextContent

from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.mcp.errors import SessionLost

MAX_WAITING: Final = 64
"""Calls in the queue; whoever comes then waits for room."""

_CONNECTION_CLOSED: Final = -32000
_CLOSED: Final = "Connection closed"
"""The SDK's own words for that."""
_MAX_TOOL_PAGES: Final = 100
_STOP_SECONDS: Final = 10.0
"""Longer than the SDK takes to stop a server that does not want to."""

Needs = Mapping[str, frozenset[str]]
"""The tools that must be there, each with the arguments that it must take."""


# Any, here and below: what a tool takes and gives is JSON.
@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """What a tool said.

    Attributes:
        text: all of its texts, a line each.
        data: its structured content, where it has any.
        is_error: whether the server calls it an error.
    """

    text: str
    data: dict[str, Any]
    is_error: bool


@dataclass(slots=True)
class _Job:
    """A call to be made; no tool means: list the tools."""

    tool: str | None
    arguments: dict[str, Any]
    answer: "asyncio.Future[ToolAnswer | None]"


class Session:
    """A session; `open` begins it, and it ends by `close`, or by itself when the server fails.

    Args:
        make_client: of the SDK, not entered.
        timeout: for each call.
        start_timeout: for the start.
    """

    def __init__(
        self, make_client: Callable[[], Client], timeout: timedelta, start_timeout: timedelta
    ) -> None:
        self._make_client = make_client
        self._timeout = timeout.total_seconds()
        self._start_timeout = start_timeout.total_seconds()
        self._jobs: asyncio.Queue[_Job | None] = asyncio.Queue(MAX_WAITING)
        self._opened = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None
        self._problem = "the session is over"
        self._over = asyncio.Event()
        self._misfit: SinkMisconfigured | None = None

    @property
    def is_alive(self) -> bool:
        """Whether calls can be made."""
        return self._owner is not None and not self._over.is_set()

    async def open(self, needs: Needs) -> None:
        """Starts the server, or connects to it, and checks its tools.

        Raises:
            SinkUnavailable: it does not start, or does not answer.
            SinkMisconfigured: a tool or an argument is missing.
        """
        self._owner = asyncio.create_task(self._own(needs), name="mcp session")
        opened = asyncio.create_task(self._opened.wait())
        try:
            await asyncio.wait(
                {opened, self._owner},
                timeout=self._start_timeout,
                return_when=asyncio.FIRST_COMPLETED,
            )
        except BaseException:
            await self.close()
            raise
        finally:
            opened.cancel()
        if not self._opened.is_set():
            error = self._start_error()
            await self.close()
            raise error

    async def call(self, tool: str, arguments: dict[str, Any]) -> ToolAnswer:
        """Calls a tool. A call that was begun is carried out, also where the caller is cancelled.

        Raises:
            SessionLost: there was no answer; the session is over.
        """
        answer = await self._do(tool, arguments)
        assert answer is not None  # noqa: S101  # a tool has one
        return answer

    async def probe(self) -> None:
        """Returns if the server answers. Lists its tools, which every server can.

        Raises:
            SessionLost: it does not.
        """
        await self._do(None, {})

    async def close(self) -> None:
        """Ends the session; returns when the server has ended. Safe to call twice."""
        owner = self._owner
        if owner is None:
            return
        self._over.set()
        if not owner.done():
            # In order where it listens; a call that hangs is cut short.
            ending = asyncio.create_task(self._jobs.put(None))
            await asyncio.wait({owner, ending}, timeout=0.1)
            ending.cancel()
            _, pending = await asyncio.wait({owner}, timeout=0.5)
            while pending:
                owner.cancel()
                _, pending = await asyncio.wait({owner}, timeout=_STOP_SECONDS)
        await asyncio.gather(owner, return_exceptions=True)

    async def _do(self, tool: str | None, arguments: dict[str, Any]) -> ToolAnswer | None:
        job = _Job(tool, arguments, asyncio.get_running_loop().create_future())
        over: asyncio.Future[Any] = asyncio.ensure_future(self._over.wait())
        putting: asyncio.Future[Any] = asyncio.ensure_future(self._jobs.put(job))
        try:
            await asyncio.wait({putting, over}, return_when=asyncio.FIRST_COMPLETED)
            if putting.done():
                await asyncio.wait(
                    {cast("asyncio.Future[Any]", job.answer), over}, return_when=asyncio.FIRST_COMPLETED
                )
            if not job.answer.done():
                raise SessionLost(self._problem)
            return job.answer.result()
        finally:
            putting.cancel()
            over.cancel()
            if not job.answer.done():
                job.answer.cancel()

    async def _own(self, needs: Needs) -> None:
        """Enters the client, makes the calls, leaves the client: all of it in one task, as the SDK wants."""
        try:
            async with self._make_client() as client:
                self._misfit = _misfit(await _tools_of(client), needs)
                if self._misfit is not None:
                    return
                self._opened.set()
                await self._serve(client)
        except BaseException as error:  # noqa: BLE001
            # The SDK lets a server that is gone look like a cancellation of whoever talks to it.
            self._problem = f"the MCP server failed: {_told(error)}"
        finally:
            self._over.set()

    async def _serve(self, client: Client) -> None:
        while (job := await self._jobs.get()) is not None:
            if job.answer.done():
                continue
            try:
                said = await self._ask(client, job)
            except MCPError as error:
                if _is_lost(error):
                    raise
                # The server answers, and says that it will not.
                said = ToolAnswer(error.message, {}, is_error=True)
            except (RuntimeError, ValueError) as error:
                # The SDK finds that the answer is not what the tool promises; its text holds all of it.
                said = ToolAnswer(type(error).__name__, {}, is_error=True)
            if not job.answer.done():
                job.answer.set_result(said)

    async def _ask(self, client: Client, job: _Job) -> ToolAnswer | None:
        if job.tool is None:
            async with asyncio.timeout(self._timeout):
                await client.list_tools()
            return None
        result = await client.call_tool(job.tool, job.arguments, read_timeout_seconds=self._timeout)
        texts = [part.text for part in result.content if isinstance(part, TextContent)]
        data = result.structured_content
        return ToolAnswer(
            "\n".join(texts), data if isinstance(data, dict) else {}, is_error=bool(result.is_error)
        )

    def _start_error(self) -> Exception:
        owner = self._owner
        if self._misfit is not None:
            return self._misfit
        reason = self._problem if owner is not None and owner.done() else "it did not answer in time"
        return SinkUnavailable(
            f"the MCP server could not be started or reached: {reason}",
            hint="check MEMLANE_MCP_COMMAND, or MEMLANE_MCP_URL and _TOKEN; see also the server's own log",
        )


async def _tools_of(client: Client) -> dict[str, frozenset[str]]:
    """The names of the tools, and of what each takes."""
    found: dict[str, frozenset[str]] = {}
    cursor: str | None = None
    for _ in range(_MAX_TOOL_PAGES):
        page = await client.list_tools(cursor=cursor)
        for tool in page.tools:
            found[tool.name] = frozenset(tool.input_schema.get("properties", {}))
        cursor = page.next_cursor
        if cursor is None:
            break
    return found


def _misfit(found: Mapping[str, frozenset[str]], needs: Needs) -> SinkMisconfigured | None:
    """What the server lacks; None where it has all that is needed."""
    for tool, arguments in needs.items():
        if tool not in found:
            there = ", ".join(sorted(found)) or "none"
            return SinkMisconfigured(
                f"the MCP server has no tool {tool!r}; it has: {there}",
                hint="set MEMLANE_MCP_PROFILE to the profile that fits this server",
            )
        if missing := sorted(arguments - found[tool]):
            return SinkMisconfigured(
                f"the MCP server's tool {tool!r} takes no {', '.join(missing)}",
                hint="its version may be another one than the profile was written for",
            )
    return None


def _told(error: BaseException) -> str:
    """An error's own words, out of the groups that task groups put around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, asyncio.CancelledError):
        return "the connection broke"
    if isinstance(error, TimeoutError) or (isinstance(error, MCPError) and error.code == REQUEST_TIMEOUT):
        return "no answer in time"
    if isinstance(error, MCPError) and _is_lost(error):
        return "it ended"
    # Any other error's text may hold what the server said, and so a value.
    return str(error) if isinstance(error, OSError) else type(error).__name__


def _is_lost(error: MCPError) -> bool:
    """Whether there was no answer. Servers use that code for errors of their own, too."""
    return error.code == REQUEST_TIMEOUT or (error.code == _CONNECTION_CLOSED and error.message == _CLOSED)
