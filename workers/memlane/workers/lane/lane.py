"""The lane of one sink: gather a batch, apply, settle, ack."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import Final

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection

from memlane.contracts.errors import PublishFailed
from memlane.contracts.instants import now as wall_clock
from memlane.contracts.topology import lane_queue
from memlane.producers import log_keys
from memlane.producers.broker.connection import connect, keep_connected, run_until_closed, user_of
from memlane.producers.broker.driver import Channel as DriverChannel
from memlane.producers.broker.publisher import Publisher
from memlane.producers.ending import end
from memlane.storage.errors import SinkBusy, SinkUnavailable
from memlane.storage.sink import Sink
from memlane.workers.lane.applying import apply
from memlane.workers.lane.clock_watch import ClockWatch
from memlane.workers.lane.gathering import Batch, Gatherer
from memlane.workers.lane.receipts import ReceiptSender
from memlane.workers.lane.settling import Settler
from memlane.workers.probing import wait_until_healthy
from memlane.workers.replying import Replier
from memlane.workers.settings import WorkerSettings
from memlane.workers.state import RoleState

log: Final = structlog.get_logger("memlane.lane")

PAUSE: Final = timedelta(seconds=30)
"""Where somebody has to set something right: a clock, a queue."""

MAX_SINK_PAUSE: Final = timedelta(minutes=1)

_WATCH_SECONDS: Final = 1.0
_CANCEL_AGAIN_SECONDS: Final = 1.0
_PAUSE_SECONDS: Final = 10.0


class WorkerClockBehind(Exception):
    """Most producers are ahead of this worker's clock."""


class Lane:
    """Applies one sink's commands, until it is stopped.

    It subscribes only when the sink is healthy. A sink that goes down pauses it: the messages in hand go
    back to the queue once, no retry is burnt, and it goes on where it stopped.

    Args:
        sink: entered; several lanes may share one.
        settings: of this worker.
        now: the worker's clock.
    """

    def __init__(
        self, sink: Sink, settings: WorkerSettings, *, now: Callable[[], datetime] = wall_clock
    ) -> None:
        self.state = RoleState(f"lane {sink.name}")
        self.applied = 0
        self._sink = sink
        self._settings = settings
        self._now = now
        self._stopping = asyncio.Event()
        self._sink_pause = timedelta(0)
        self._clocks = ClockWatch()

    def stop(self) -> None:
        """Asks it to finish what it has in hand, and to end."""
        self._stopping.set()

    async def run(self) -> None:
        """Works until stopped; reconnects by itself.

        Raises:
            BrokerRefused: the broker does not let this worker in.
        """
        try:
            await keep_connected(
                self._settings.url,
                f"memlane lane {self._sink.name}",
                self._session,
                on_down=lambda error: self.state.to("waiting", str(error)),
                stopping=self._stopping,
            )
        finally:
            self.state.to("stopped")

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
                    await self._subscription(consuming, settler, receipts)

            await run_until_closed(publishing, work)

    async def _settler(self, publishing: AbstractConnection) -> Settler:
        account = user_of(self._settings.url)
        publisher = await Publisher.open(publishing, user_id=account)
        return Settler(self._sink.name, publisher, self._settings.retry_delays, frozenset({account}))

    async def _subscription(
        self, connection: AbstractConnection, settler: Settler, receipts: ReceiptSender
    ) -> None:
        """Consumes until stopped, or until the sink goes down: then everything in hand is requeued."""
        if not await wait_until_healthy(
            self._sink, self._settings.probe_interval, self._stopping, self.state
        ):
            return
        channel = await connection.channel()
        pause = timedelta(0)
        try:
            await channel.set_qos(prefetch_count=self._settings.prefetch)
            await self._consume(channel, settler, receipts)
        except SinkUnavailable as error:
            self.state.to("waiting", str(error))
            pause = self._longer_pause()
        except (WorkerClockBehind, PublishFailed) as error:
            self.state.to("paused", str(error))
            pause = PAUSE
        finally:
            # Closing the channel requeues whatever is not acked, once.
            await channel.close()
        await self._pause(pause)

    async def _consume(self, channel: AbstractChannel, settler: Settler, receipts: ReceiptSender) -> None:
        gatherer = Gatherer(self._settings.batch_commands, self._settings.prefetch, self._now)
        # The driver's own channel: wrapping each message would cost as much as applying it.
        driver = await channel.get_underlay_channel()
        assert isinstance(driver, DriverChannel)  # noqa: S101  # `connect` sees to it
        tag = await driver.subscribe(lane_queue(self._sink.name), gatherer.put)
        self.state.to("running")
        gathering = asyncio.create_task(gatherer.run())
        working = asyncio.create_task(self._work(driver, gatherer, settler, receipts))
        stopped = asyncio.create_task(self._stopping.wait())
        watching = asyncio.create_task(_until_cancelled_by_broker(driver, tag))
        probing = asyncio.create_task(self._probe_while_idle(gatherer))
        tasks: tuple[asyncio.Task[object], ...] = (gathering, working, stopped, watching, probing)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done() and not working.done():
                with suppress(TimeoutError):
                    await driver.basic_cancel(tag, timeout=self._settings.drain_timeout.total_seconds())
                    await self._drain(gatherer, working)
            for running in (gathering, working, probing):
                if running.done():
                    running.result()
        finally:
            await end(*tasks, again=_CANCEL_AGAIN_SECONDS)

    async def _work(
        self, driver: DriverChannel, gatherer: Gatherer, settler: Settler, receipts: ReceiptSender
    ) -> None:
        while True:
            batch = await gatherer.get()
            self._watch_clocks(batch)
            await self._process(batch, settler, receipts)
            # Every delivery of the batch is decided, and so were all before: one ack for the prefix.
            await driver.basic_ack(batch.deliveries[-1].tag, multiple=True)
            gatherer.done(batch)
            self._sink_pause = timedelta(0)

    async def _probe_while_idle(self, gatherer: Gatherer) -> None:
        """Raises `SinkUnavailable` when the sink goes down while there is no command to fail at."""
        while True:
            await asyncio.sleep(self._settings.probe_interval.total_seconds())
            if gatherer.is_idle:
                with suppress(SinkBusy):
                    await self._sink.health()

    async def _process(self, batch: Batch, settler: Settler, receipts: ReceiptSender) -> None:
        now = self._now()
        commands = batch.commands
        results = await apply(self._sink, commands, now) if commands else []
        at = 0
        for delivery in batch.deliveries:
            own = results[at : at + len(delivery.commands)]
            at += len(delivery.commands)
            told = await settler.settle(delivery, own, now)
            if told:
                await receipts.send(delivery, told)
        self.applied += len(commands)

    def _watch_clocks(self, batch: Batch) -> None:
        now = self._now()
        ahead = {delivery.producer: delivery.is_ahead for delivery in batch.deliveries if delivery.is_new}
        for producer, is_ahead in ahead.items():
            self._clocks.saw(producer, ahead=is_ahead, now=now)
        if self._clocks.worker_is_behind(now):
            message = "most producers are ahead of this worker's clock: set it; the lane is paused"
            raise WorkerClockBehind(message)

    async def _drain(self, gatherer: Gatherer, working: "asyncio.Task[None]") -> None:
        """Lets what is in hand finish, within the bound; the rest is requeued."""
        drained = asyncio.create_task(gatherer.wait_idle())
        bound = self._settings.drain_timeout.total_seconds()
        await asyncio.wait({drained, working}, timeout=bound, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()

    def _longer_pause(self) -> timedelta:
        """Twice as long as the last one, unless a batch was applied in between.

        A sink that passes its health check and takes nothing, such as one on a full disk, would else have
        every command delivered again and again, until the queue's delivery limit.
        """
        self._sink_pause = min(self._sink_pause * 2 or self._settings.probe_interval, MAX_SINK_PAUSE)
        return self._sink_pause

    async def _pause(self, pause: timedelta) -> None:
        if not pause:
            return
        seconds = pause.total_seconds()
        log.warning(
            "lane pauses; its commands wait in their queue",
            **{
                log_keys.SINK: self._sink.name,
                log_keys.REASON: self.state.reason,
                log_keys.SECONDS: round(seconds, 1),
            },
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()


async def _until_cancelled_by_broker(driver: DriverChannel, tag: str) -> None:
    """Returns when the broker has ended a subscription, as it does when the queue is deleted or moves."""
    # The driver tells nobody; it only takes the consumer off its list.
    while tag in driver.consumers:  # noqa: ASYNC110
        await asyncio.sleep(_WATCH_SECONDS)
