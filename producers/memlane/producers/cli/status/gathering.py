"""Finding out how the system is: the aggregator's stats, and the depths of the queues."""

from collections import defaultdict
from dataclasses import replace
from datetime import timedelta

from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import AMQPException

from memlane.contracts.errors import BrokerError, IncompleteAnswer
from memlane.contracts.reply import SinkStatsReport
from memlane.contracts.rounds import RoundReport
from memlane.contracts.standing import NOTHING_SAID
from memlane.contracts.topology import (
    QUERY_QUEUE,
    dead_queue,
    lane_queue,
    retry_queue,
    sink_query_queue,
    suspect_queue,
)
from memlane.producers.broker.connection import address_of, connect
from memlane.producers.broker.declare import queue_depths
from memlane.producers.broker.rounds import last_round
from memlane.producers.broker.standings import Standings, standings_now
from memlane.producers.cli.status.lag import lag_of
from memlane.producers.cli.status.state import QueueState, SinkState, SystemState
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.outbox.outbox import outbox_of
from memlane.producers.settings import ClientSettings

Depths = dict[str, tuple[int, int] | None]


async def system_state(memory: MemoryClient, settings: ClientSettings) -> SystemState:
    """How the system is now.

    Raises:
        BrokerError: the broker does not answer, or refuses.
        OutboxFailed: the outbox can't be read.
    """
    silence = ""
    reports: dict[str, SinkStatsReport] = {}
    try:
        reports = (await memory.stats()).sinks
    except IncompleteAnswer as error:
        silence = f"no aggregator answers: {error.message} (is `memlane up` running?)"
    names = list(reports) or settings.sink_names
    wanted = [QUERY_QUEUE, *(queue for name in names for queue in _queues(name, settings.retry_delays))]
    async with await connect(settings.url, "memlane status") as connection:
        depths = await queue_depths(connection, wanted)
        standings = await _standings(connection)
        report = await _last_round(connection)
        lags = await _lags(connection, {name: depths[lane_queue(name)] for name in names})
    return SystemState(
        broker=address_of(settings.url),
        aggregators=(depths[QUERY_QUEUE] or (0, 0))[1],
        silence=silence,
        sinks=tuple(
            replace(
                _sink(name, reports.get(name), depths, settings.retry_delays),
                standing=standings[name],
                lag=lags.get(name),
                compared=None if report is None else report.sinks.get(name),
            )
            for name in names
        ),
        last_round=report,
        blocked=memory.blocked,
        outbox=await outbox_of(settings, settings.url).status(),
    )


async def _standings(connection: AbstractConnection) -> Standings:
    """What was said about the sinks; nothing, where this account may not read it."""
    try:
        return await standings_now(connection)
    except (AMQPException, BrokerError):
        return defaultdict(lambda: NOTHING_SAID)


async def _last_round(connection: AbstractConnection) -> RoundReport | None:
    """What the reconciler found last; None, where this account may not read it."""
    try:
        return await last_round(connection)
    except (AMQPException, BrokerError):
        return None


async def _lags(connection: AbstractConnection, lanes: Depths) -> dict[str, timedelta | None]:
    """How far each lane is behind; None, where this account may not read the log."""
    try:
        return {sink: await lag_of(connection, lane[0]) if lane else None for sink, lane in lanes.items()}
    except (AMQPException, BrokerError):
        return dict.fromkeys(lanes)


def _queues(sink: str, delays: tuple[timedelta, ...]) -> list[str]:
    retries = [retry_queue(sink, delay) for delay in delays]
    return [lane_queue(sink), suspect_queue(sink), dead_queue(sink), sink_query_queue(sink), *retries]


def _sink(
    name: str, report: SinkStatsReport | None, depths: Depths, delays: tuple[timedelta, ...]
) -> SinkState:
    lane, dead = depths[lane_queue(name)], depths[dead_queue(name)]
    return SinkState(
        name=name,
        report=report,
        lane=None if lane is None else QueueState(*lane),
        retrying=sum((depths[retry_queue(name, delay)] or (0, 0))[0] for delay in delays),
        suspects=(depths[suspect_queue(name)] or (0, 0))[0],
        parked=None if dead is None else dead[0],
        responders=(depths[sink_query_queue(name)] or (0, 0))[1],
    )
