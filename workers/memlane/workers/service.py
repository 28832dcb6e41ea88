"""The composition root: which roles run in this process, and how they start and stop together."""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Protocol

import structlog

from memlane.contracts.errors import loggable
from memlane.contracts.topology import topology
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect
from memlane.producers.broker.declare import apply_topology
from memlane.producers.ending import end
from memlane.storage.settings import SinkSettings
from memlane.storage.sink import Sink
from memlane.workers.aggregator import Aggregator
from memlane.workers.backlog_watch import BacklogWatch
from memlane.workers.backup.scheduler import BackupScheduler
from memlane.workers.health_server import health_server
from memlane.workers.lane import Lane
from memlane.workers.late_sink import LateSink
from memlane.workers.rebuilder import Rebuilder
from memlane.workers.reconciler import Reconciler
from memlane.workers.responder import Responder
from memlane.workers.settings import WorkerSettings
from memlane.workers.sinks import check_durability, make_sink
from memlane.workers.standings import Standings, StandingsReader
from memlane.workers.state import RoleState
from memlane.workers.sweeper import Sweeper

log: Final = structlog.get_logger("memlane.service")

CLOSING: Final = timedelta(seconds=2)
"""Beyond the time for draining: for closing connections."""

SINK_ROLES: Final = ("lane", "responder", "sweeper", "rebuilder")


class Role(Protocol):
    """Something that runs until it is stopped."""

    state: RoleState

    def stop(self) -> None:
        """Asks it to finish what it has in hand, and to end."""

    async def run(self) -> None:
        """Works until stopped."""


_FOR_A_SINK: Final[dict[str, Callable[[Sink, WorkerSettings, Standings], Role]]] = {
    "lane": Lane,
    "responder": lambda sink, settings, _: Responder(sink, settings),
    "sweeper": lambda sink, settings, _: Sweeper(sink, settings),
    "rebuilder": Rebuilder,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a process runs.

    Attributes:
        sink_roles: of `lane`, `responder`, `sweeper`, `rebuilder`, for each of the sinks.
        sinks: their names.
        aggregator: whether it runs one, and the watch over the backlogs.
        reconciler: whether it runs one.
    """

    sink_roles: Sequence[str] = ()
    sinks: Sequence[str] = ()
    aggregator: bool = False
    reconciler: bool = False


def everything(settings: WorkerSettings) -> Plan:
    """Every role, for every sink of the deployment: what `memlane up` runs."""
    return Plan(sink_roles=SINK_ROLES, sinks=settings.sink_names, aggregator=True, reconciler=True)


async def serve(plan: Plan, settings: WorkerSettings, sink_settings: SinkSettings) -> None:
    """Runs a plan until SIGTERM or SIGINT; then everything finishes what it has in hand.

    Raises:
        MemlaneError: it can't start, or can't go on.
    """
    stopping, started = asyncio.Event(), asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(_log_unheard)
    with _set_by_signals(stopping):
        working = asyncio.create_task(run_until(stopping, plan, settings, sink_settings, started))
        asked = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not started.is_set():
                # There is nothing in hand yet.
                working.cancel()
            await working
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise
        finally:
            await end(working, asked)
    log.info("stopped")


@contextmanager
def _set_by_signals(event: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, event.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


# Any: whatever asyncio puts into it.
def _log_unheard(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio has to say, in our words: by itself it would write errors and callbacks out in full."""
    error = context.get("exception")
    log.error(
        "something broke off in the background",
        **{
            log_keys.REASON: str(context.get("message", "")),
            log_keys.ERROR: loggable(error) if isinstance(error, BaseException) else "",
        },
        exc_info=error,
    )


async def run_until(
    stopping: asyncio.Event,
    plan: Plan,
    settings: WorkerSettings,
    sink_settings: SinkSettings,
    started: asyncio.Event,
) -> None:
    """Runs a plan until an event is set; then everything finishes what it has in hand.

    Args:
        stopping: ends it.
        plan: which roles.
        settings: of the roles.
        sink_settings: of the sinks.
        started: is set when the topology is there and the roles begin.

    Raises:
        MemlaneError: it can't start, or can't go on.
    """
    async with AsyncExitStack() as exits:
        sinks = [LateSink(make_sink(name, sink_settings)) for name in plan.sinks]
        if plan.aggregator and sinks:
            check_durability(sinks)
        await _declare(settings)
        for sink in sinks:
            await exits.enter_async_context(sink)
        standings = Standings()
        reader = StandingsReader(settings, standings)
        roles = [reader, *_roles(plan, sinks, settings, standings)]
        states = [role.state for role in roles]
        for state in states:
            state.on_change = _log_change
        await exits.enter_async_context(health_server(settings.health_host, settings.health_port, states))
        started.set()
        await _run(reader, roles, settings.drain_timeout + CLOSING, stopping)


async def _declare(settings: WorkerSettings) -> None:
    """Declares the topology, so that a wrong argument is one clear error at start."""
    connection = await connect(settings.url, "memlane topology")
    async with connection:
        wanted = topology(
            settings.sink_names,
            retry_delays=settings.retry_delays,
            log_age=settings.log_age,
            log_bytes=settings.log_bytes,
        )
        await apply_topology(connection, wanted)


def _roles(plan: Plan, sinks: Sequence[Sink], settings: WorkerSettings, standings: Standings) -> list[Role]:
    roles: list[Role] = [
        _FOR_A_SINK[role](sink, settings, standings) for sink in sinks for role in plan.sink_roles
    ]
    if plan.aggregator:
        local = sinks if "responder" in plan.sink_roles else ()
        roles += [Aggregator(settings, local, standings), BacklogWatch(settings, standings)]
    if plan.reconciler:
        # Only what is open here as a whole may be read without a responder.
        local = sinks if "responder" in plan.sink_roles else ()
        roles.append(Reconciler(settings, standings, local))
    if "sweeper" in plan.sink_roles and settings.backup_schedule:
        roles.append(BackupScheduler(settings, standings))
    return roles


async def _run(
    reader: StandingsReader, roles: Sequence[Role], bound: timedelta, stopping: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    tasks: list[asyncio.Task[None]] = []

    async def stop_when_asked() -> None:
        await stopping.wait()
        log.info("stopping: finishing what is in hand")
        for role in roles:
            role.stop()
        # A broker that does not answer must not keep the process: what is not acked is delivered again.
        for task in tasks:
            loop.call_later(bound.total_seconds(), task.cancel)

    watching = asyncio.create_task(stop_when_asked())
    try:
        async with asyncio.TaskGroup() as group:
            tasks.append(group.create_task(reader.run(), name=reader.state.role))
            # Whoever is paused must not begin before it is known.
            await reader.has_read()
            others = [role for role in roles if role is not reader]
            tasks += [group.create_task(role.run(), name=role.state.role) for role in others]
    except* Exception as errors:  # noqa: BLE001
        # One role that can't go on ends the process; its error is the one to tell.
        raise errors.exceptions[0] from None
    finally:
        await end(watching)


def _log_change(state: RoleState) -> None:
    line = log.info if state.condition in {"running", "stopped"} else log.warning
    line(state.condition, **{log_keys.ROLE: state.role, log_keys.REASON: state.reason})
