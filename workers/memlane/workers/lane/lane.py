"""The lane of one sink: connects, waits until its sink is well, subscribes."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Final

import structlog
from aio_pika.abc import AbstractConnection

from memlane.contracts.errors import PublishFailed
from memlane.contracts.instants import now as wall_clock
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect, run_until_closed, user_of
from memlane.producers.broker.publisher import Publisher
from memlane.producers.ending import end
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.sink import Sink
from memlane.workers.access import access_of
from memlane.workers.lane.breaker import Breaker
from memlane.workers.lane.clock_watch import ClockWatch
from memlane.workers.lane.receipts import ReceiptSender
from memlane.workers.lane.settling import Settler
from memlane.workers.lane.subscription import Subscription, WorkerClockBehind
from memlane.workers.lane.suspicion import Suspicion
from memlane.workers.replying import Replier
from memlane.workers.role import ConnectedRole
from memlane.workers.settings import WorkerSettings
from memlane.workers.standings import Standings

log: Final = structlog.get_logger("memlane.lane")

PAUSE: Final = timedelta(seconds=30)
"""Where somebody has to set something right: a clock, a queue."""


class Lane(ConnectedRole):
    """Applies one sink's commands, until it is stopped.

    It subscribes only when the sink is healthy. A sink that goes down, or is paused, pauses it: the messages
    in hand go back to the queue once, no retry is burnt, and it goes on where it stopped.

    Args:
        sink: entered; several lanes may share one.
        settings: of this worker.
        standings: who is paused; without it nobody is.
        now: the worker's clock.
    """

    def __init__(
        self,
        sink: Sink,
        settings: WorkerSettings,
        standings: Standings | None = None,
        *,
        now: Callable[[], datetime] = wall_clock,
    ) -> None:
        super().__init__(f"lane {sink.name}", settings)
        self.applied = 0
        self._sink = sink
        self._standings = standings or Standings()
        self._now = now
        self._breaker = Breaker(sink, settings.probe_interval, self.state, self._stopping)
        self._suspicion = Suspicion()
        self._clocks = ClockWatch()
        self._access = access_of(settings)

    async def _session(self, consuming: AbstractConnection) -> None:
        """On one consuming connection, with two more: for publishing, and for replies."""
        async with AsyncExitStack() as exits:
            name = f"memlane lane {self._sink.name}"
            publishing = await exits.enter_async_context(await connect(self._settings.url, f"{name} publish"))
            replier = await exits.enter_async_context(Replier(self._settings.url, f"{name} reply"))
            settler = await self._settler(publishing)
            receipts = ReceiptSender(self._sink.name, replier)

            async def work(_connection: AbstractConnection) -> None:
                while not self._stopping.is_set():
                    await self._while_not_paused(consuming, publishing, settler, receipts)

            await run_until_closed(publishing, work)

    async def _settler(self, publishing: AbstractConnection) -> Settler:
        account = user_of(self._settings.url)
        publisher = await Publisher.open(publishing, user_id=account)
        workers = frozenset({account}) if self._access is None else self._access.worker_accounts
        return Settler(self._sink.name, publisher, self._settings.retry_delays, workers)

    async def _while_not_paused(
        self,
        consuming: AbstractConnection,
        publishing: AbstractConnection,
        settler: Settler,
        receipts: ReceiptSender,
    ) -> None:
        """One subscription; it ends when somebody pauses the sink, and waits until that is over."""
        await self._until_resumed()
        ending = asyncio.Event()
        stopped = asyncio.create_task(self._stopping.wait())
        paused = asyncio.create_task(self._standings.until(lambda: self._is_paused))
        subscription = self._new_subscription(settler, receipts)
        subscribed = asyncio.create_task(self._subscribe(subscription, consuming, publishing, ending))
        try:
            await asyncio.wait({stopped, paused, subscribed}, return_when=asyncio.FIRST_COMPLETED)
            ending.set()
            if self.state.condition == "running" or stopped.done():
                await asyncio.wait({subscribed})
            if subscribed.done():
                subscribed.result()
        finally:
            await end(paused, subscribed, stopped)

    async def _until_resumed(self) -> None:
        if (notice := self._standings.of(self._sink.name).paused) is None:
            return
        self.state.to("paused", notice.reason or "by an operator")
        stopped = asyncio.create_task(self._stopping.wait())
        resumed = asyncio.create_task(self._standings.until(lambda: not self._is_paused))
        try:
            await asyncio.wait({resumed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await end(resumed, stopped)

    @property
    def _is_paused(self) -> bool:
        return self._standings.of(self._sink.name).paused is not None

    async def _subscribe(
        self,
        subscription: Subscription,
        consuming: AbstractConnection,
        publishing: AbstractConnection,
        ending: asyncio.Event,
    ) -> None:
        """Consumes until stopped, or until the sink goes down: then everything in hand is requeued."""
        if not await self._breaker.until_closed():
            return
        try:
            await subscription.consume(consuming, publishing, ending, lambda: self.state.to("running"))
        except (SinkUnavailable, SinkMisconfigured) as error:
            self._breaker.open(error)
        except (WorkerClockBehind, PublishFailed) as error:
            self.state.to("paused", str(error))
            await self._wait_for_somebody()

    def _new_subscription(self, settler: Settler, receipts: ReceiptSender) -> Subscription:
        return Subscription(
            self._sink,
            self._settings,
            settler,
            receipts,
            breaker=self._breaker,
            suspicion=self._suspicion,
            clocks=self._clocks,
            access=self._access,
            now=self._now,
            on_applied=self._count,
        )

    def _count(self, commands: int) -> None:
        self.applied += commands

    async def _wait_for_somebody(self) -> None:
        log.warning(
            "lane pauses; its commands wait in their queue",
            **{
                log_keys.SINK: self._sink.name,
                log_keys.REASON: self.state.reason,
                log_keys.SECONDS: PAUSE.total_seconds(),
            },
        )
        await self._pause(PAUSE)
