"""From settings to the SDK's client: a process that talks over its own input and output, or HTTP."""

import shlex
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp import Client, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from memlane.storage.errors import SinkMisconfigured
from memlane.storage.mcp.profile import Profile
from memlane.storage.settings import SinkSettings

MakeClient = Callable[[dict[str, str], Path], Client]
"""From the variables of a server's process, and the file for what it says on stderr."""

_MAX_LOG_BYTES: Final = 1024 * 1024
_LEGACY: Final = "legacy"
"""What servers in the field speak; probing for something newer confuses some of them."""


def make_client_from(settings: SinkSettings, profile: Profile) -> MakeClient:
    """How clients are made by these settings.

    Raises:
        SinkMisconfigured: no server is named, or two, or its program is not on the machine.
    """
    command, url = settings.mcp_command, settings.mcp_url
    if command and url:
        raise SinkMisconfigured("MEMLANE_MCP_COMMAND and MEMLANE_MCP_URL are both set", hint="unset one")
    if not command and not url:
        command = _command_of(profile)
    # For the start; each call has its own.
    timeout = settings.mcp_start_timeout.total_seconds()
    if url:
        token = settings.mcp_token.get_secret_value() if settings.mcp_token else None
        return lambda _environment, _log: _over_http(url, token, timeout)
    words = shlex.split(command or "")
    own = {name: value.get_secret_value() for name, value in settings.mcp_env.items()}
    return lambda environment, log: _over_stdio(words, {**own, **environment}, log, timeout)


def _command_of(profile: Profile) -> str:
    """The command that a profile starts its server with where nobody says otherwise."""
    choices = "set MEMLANE_MCP_COMMAND (a command line) or MEMLANE_MCP_URL, or leave mcp out of MEMLANE_SINKS"
    command = profile.default_command
    if command is None:
        raise SinkMisconfigured(
            f"the MCP profile {profile.name} does not say how to start its server", hint=choices
        )
    program = shlex.split(command)[0]
    if shutil.which(program) is None:
        raise SinkMisconfigured(
            f"the MCP server of the profile {profile.name} is run by {program}, which is not on this machine",
            hint=f"install Node.js, or {choices}" if program == "npx" else choices,
        )
    return command


def _over_stdio(words: list[str], environment: dict[str, str], log: Path, timeout: float) -> Client:
    server = StdioServerParameters(command=words[0], args=words[1:], env=environment)
    return Client(_logged(server, log), mode=_LEGACY, read_timeout_seconds=timeout, cache=None)


def _over_http(url: str, token: str | None, timeout: float) -> Client:
    return Client(_authorised(url, token, timeout), read_timeout_seconds=timeout, cache=None)


# Any: the pair of streams is the SDK's affair.
@asynccontextmanager
async def _logged(server: StdioServerParameters, log: Path) -> AsyncIterator[Any]:
    """What the server says on stderr goes to a file: it may hold values, which must not be in our log."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w" if _size(log) > _MAX_LOG_BYTES else "a", encoding="utf-8") as file:
        async with stdio_client(server, errlog=file) as streams:
            yield streams


@asynccontextmanager
async def _authorised(url: str, token: str | None, seconds: float) -> AsyncIterator[Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=seconds) as http_client,
        streamable_http_client(url, http_client=http_client) as streams,
    ):
        yield streams


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
