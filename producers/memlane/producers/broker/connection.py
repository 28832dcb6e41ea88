"""Connecting to RabbitMQ, and keeping it up.

Nothing here is a "robust" connection that restores itself in the background: a session is built on a
connection, and ends with it. What was in flight is then known to be undecided, and a new session begins.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Final

import aio_pika
import structlog
from aio_pika import Connection
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import (
    CONNECTION_EXCEPTIONS,
    AuthenticationError,
    ChannelInvalidStateError,
    ConnectionClosed,
    ProbableAuthenticationError,
)
from aiormq.exceptions import ProtocolSyntaxError

from memlane.contracts.errors import BrokerError, BrokerRefused, BrokerUnreachable, PublishRefused
from memlane.producers import log_keys
from memlane.producers.broker.driver import adapt_driver
from memlane.producers.broker.nodes import address_of, begin_with, in_turn, move_on, user_of
from memlane.producers.broker.tls import tls_problem
from memlane.producers.ending import end

__all__ = [
    "CONNECT_TIMEOUT",
    "Session",
    "address_of",
    "connect",
    "keep_connected",
    "run_until_closed",
    "user_of",
]

log: Final = structlog.get_logger("memlane.broker")

CONNECT_TIMEOUT: Final = timedelta(seconds=10)
HEARTBEAT_SECONDS: Final = 20
FIRST_DELAY_SECONDS: Final = 0.1
MAX_DELAY_SECONDS: Final = 5.0
MAX_REFUSED_SECONDS: Final = 30.0
"""Between the tries while the broker refuses what it allowed before: somebody has to look."""

LASTING_SECONDS: Final = 10.0
"""A session that lived so long was a good one."""

_ABANDON_SECONDS: Final = 1.0
_ACCESS_CODES: Final = frozenset({403, 530})

Session = Callable[[AbstractConnection], Awaitable[None]]


async def connect(url: str, name: str, within: timedelta = CONNECT_TIMEOUT) -> AbstractConnection:
    """A connection to the broker: to the first of its nodes that lets us in.

    It begins with the node that worked last, or with the one behind a node that was lost. A node that hangs
    may take up its part of the time, not more.

    Args:
        url: `amqp://user:password@host:port/vhost`, or `amqps://`; several nodes with commas between.
        name: what the broker's management page shows it as.
        within: the time for reaching the broker and logging in.

    Raises:
        BrokerUnreachable: nothing answers there.
        BrokerRefused: wrong credentials, no such virtual host, or a certificate that is not trusted.
        ConfigurationError: not AMQP URLs, or not those of one cluster.
    """
    adapt_driver()
    nodes = in_turn(url)
    problems: list[BrokerError] = []
    for node in nodes:
        try:
            connection = await _connect_to(node.url, name, within / len(nodes))
        except BrokerError as error:
            problems.append(error)
        else:
            begin_with(url, node)
            return connection
    # What one node refuses, another one that was not there would have refused as well.
    refused = [problem for problem in problems if isinstance(problem, BrokerRefused)]
    if refused or len(problems) == 1:
        raise (refused or problems)[0]
    raise BrokerUnreachable("; ".join(problem.message for problem in problems), hint=problems[0].hint)


async def _connect_to(url: str, name: str, within: timedelta) -> AbstractConnection:
    where = address_of(url)
    try:
        return await _open(url, name, within)
    except (AuthenticationError, ProbableAuthenticationError) as error:
        raise BrokerRefused(
            f"RabbitMQ at {where} refused the account {user_of(url)!r}",
            hint="check user and password in MEMLANE_AMQP_URL",
        ) from error
    except ConnectionClosed as error:
        if error.args and error.args[0] in _ACCESS_CODES:
            raise BrokerRefused(
                f"RabbitMQ at {where} refused: {error}", hint="check the virtual host"
            ) from error
        raise _unreachable(where, error) from error
    except ProtocolSyntaxError as error:
        # The driver waits for "open-ok" only: what comes instead is the broker's "close".
        raise BrokerRefused(
            f"RabbitMQ at {where} refused the account {user_of(url)!r} on that virtual host",
            hint="check the end of MEMLANE_AMQP_URL, and the account's rights",
        ) from error
    except (*CONNECTION_EXCEPTIONS, TimeoutError) as error:
        raise (tls_problem(url, where, error) or _unreachable(where, error)) from error


async def _open(url: str, name: str, within: timedelta) -> AbstractConnection:
    opening: asyncio.Future[AbstractConnection] = asyncio.ensure_future(
        aio_pika.connect(url, client_properties={"connection_name": name}, heartbeat=HEARTBEAT_SECONDS)
    )
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await asyncio.shield(opening)
    except BaseException:
        # Its last step may not be cancelled: the driver would leave it open. So it gets a moment to succeed.
        await _abandon(opening, within=_ABANDON_SECONDS)
        raise


async def _abandon(opening: "asyncio.Future[AbstractConnection]", *, within: float) -> None:
    """Closes a connection that nobody waits for any more, once it is open; cancels it after the time."""
    await asyncio.wait({opening}, timeout=within)
    await end(opening)
    if not opening.cancelled() and opening.exception() is None:
        await opening.result().close()


def _unreachable(where: str, error: BaseException) -> BrokerUnreachable:
    reason = str(error) or "no answer in time"
    return BrokerUnreachable(
        f"can't reach RabbitMQ at {where}: {reason}",
        hint="start it (make services), or set MEMLANE_AMQP_URL",
    )


async def keep_connected(
    url: str,
    name: str,
    session: Session,
    *,
    on_down: Callable[[BrokerError], None] = lambda _error: None,
    stopping: asyncio.Event | None = None,
    refusal_ends: bool = True,
) -> None:
    """Runs a session on a connection, and another one whenever the connection is lost.

    Returns when a session returns by itself, or, while there is no connection, when it is to stop. Between
    the tries it waits exponentially, with jitter, 0.1 s to 5 s; from 0.1 s again after a session that lasted.

    Once it was connected, a refusal is an outage like any other, for a node that restarts may refuse a
    virtual host for a while: it is logged as an error, and tried again after up to 30 s.

    Args:
        url: the broker.
        name: the connection's.
        session: is cancelled when its connection is lost. What it raises ends it, but for
            `BrokerUnreachable` and a refusal.
        on_down: told of each loss, before the wait.
        stopping: once it is set, no further connection is tried. A session that runs must see it itself.
        refusal_ends: whether to raise where the very first connection is refused.

    Raises:
        BrokerRefused: trying again would not help.
    """
    stop = stopping or asyncio.Event()
    delay = FIRST_DELAY_SECONDS
    while True:
        started = time.monotonic()
        try:
            connection = await _connect_unless(stop, url, name)
            if connection is None:
                return
            refusal_ends = False
            async with connection:
                if await _lasts(url, connection, session):
                    return
        except (BrokerUnreachable, BrokerRefused, PublishRefused) as error:
            refused = not isinstance(error, BrokerUnreachable)
            if refused and refusal_ends:
                raise
            on_down(error)
            if time.monotonic() - started > LASTING_SECONDS:
                delay = FIRST_DELAY_SECONDS
            _tell_down(error, delay, refused=refused)
            with suppress(TimeoutError):
                async with asyncio.timeout(delay * random.uniform(0.5, 1)):  # noqa: S311
                    await stop.wait()
            delay = min(delay * 2, MAX_REFUSED_SECONDS if refused else MAX_DELAY_SECONDS)


def _tell_down(error: BrokerError, delay: float, *, refused: bool) -> None:
    keys = {log_keys.ERROR: str(error), log_keys.SECONDS: round(delay, 1)}
    if refused:
        log.error("the broker refuses what it allowed before, trying again", **keys)
    else:
        log.warning("not connected, trying again", **keys)


async def _lasts(url: str, connection: AbstractConnection, session: Session) -> bool:
    """As `run_until_closed`; notes which node was lost."""
    try:
        return await run_until_closed(connection, session)
    except BrokerUnreachable:
        if isinstance(connection, Connection):
            move_on(url, connection.url.host, connection.url.port)
        raise


async def _connect_unless(stop: asyncio.Event, url: str, name: str) -> AbstractConnection | None:
    """A connection, as `connect`; None where it was to stop before."""
    connecting = asyncio.ensure_future(connect(url, name))
    stopped = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({connecting, stopped}, return_when=asyncio.FIRST_COMPLETED)
    except BaseException:
        stopped.cancel()
        await _abandon(connecting, within=0)
        raise
    if stop.is_set():
        await _abandon(connecting, within=0)
        return None
    # Nothing is awaited from here on: a cancellation would lose the connection.
    stopped.cancel()
    return connecting.result()


def _loss_of(connection: AbstractConnection) -> asyncio.Event:
    """Is set when the connection has gone.

    Its own `closed()` will not do: that tells only of a close from this side.
    """
    lost = asyncio.Event()
    connection.close_callbacks.add(lambda *_: lost.set())
    if not connection.connected.is_set():
        lost.set()
    return lost


async def run_until_closed(connection: AbstractConnection, session: Session) -> bool:
    """Runs a session; cancels it when the connection closes under it.

    Returns:
        True when the session returned by itself.

    Raises:
        BrokerUnreachable: the connection was lost.
    """
    lost = _loss_of(connection)
    running = asyncio.ensure_future(session(connection))
    losing = asyncio.ensure_future(lost.wait())
    try:
        await asyncio.wait({running, losing}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            raise BrokerUnreachable("the connection to RabbitMQ was closed")
        try:
            await running
        except CONNECTION_EXCEPTIONS as error:
            # A channel that the broker has closed is no bug: its queue was on a node that went down, say.
            if isinstance(error, RuntimeError) and not (
                lost.is_set() or isinstance(error, ChannelInvalidStateError)
            ):
                raise
            raise BrokerUnreachable(f"the session with RabbitMQ broke: {error}") from error
        return True
    finally:
        await end(running, losing)
