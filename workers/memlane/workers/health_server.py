"""Liveness and readiness over HTTP, for whatever supervises the process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final

import structlog
from aiohttp import web

from memlane.contracts.errors import ConfigurationError
from memlane.producers import log_keys
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.service")


@asynccontextmanager
async def health_server(host: str, port: int | None, states: Sequence[RoleState]) -> AsyncIterator[None]:
    """Serves `/livez` (200 while the process runs) and `/readyz` (200 when every role works, else 503).

    Args:
        host: address to listen on.
        port: None serves nothing.
        states: of the process's roles.

    Raises:
        ConfigurationError: the port is taken.
    """
    if port is None:
        yield
        return

    async def ready(_request: web.Request) -> web.Response:
        return await _ready(states)

    app = web.Application()
    app.router.add_get("/livez", _live)
    app.router.add_get("/readyz", ready)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            raise ConfigurationError(
                f"can't listen on {host}:{port}: {error.strerror}", hint="set another MEMLANE_HEALTH_PORT"
            ) from error
        log.info("serving /livez and /readyz", **{log_keys.PORT: port})
        yield
    finally:
        await runner.cleanup()


async def _live(_request: web.Request) -> web.Response:
    return web.json_response({"alive": True})


async def _ready(states: Sequence[RoleState]) -> web.Response:
    ready = all(state.ready for state in states)
    roles = {state.role: {"condition": state.condition, "reason": state.reason} for state in states}
    return web.json_response({"ready": ready, "roles": roles}, status=200 if ready else 503)
