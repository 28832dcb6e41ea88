"""One subscription to a lane's queues: what comes is applied and acked, until something ends it.

Besides the lane's own queue there is that of the suspects: messages that may have ended a worker's process.
One of them is taken at a time, and while it is tried nothing else is applied here: so what becomes of the
process says something about that one message.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

import structlog
from aio_pika.abc import AbstractChannel, AbstractConnection
from aiormq import spec
from aiormq.abc import DeliveredMessage

from memlane.contracts.topology import lane_queue, suspect_queue
from memlane.producers import log_keys
from memlane.producers.broker.driver import Channel as DriverChannel
from memlane.producers.ending import end
from memlane.storage.sink import Sink
from memlane.workers.access import Access
from memlane.workers.lane.applying import apply
from memlane.workers.lane.breaker import Breaker
from memlane.workers.lane.clock_watch import ClockWatch
from memlane.workers.lane.delivery import Delivery, newest_allowed, read_delivery
from memlane.workers.lane.failures import FailureKind, Poison, kind_of
from memlane.workers.lane.gathering import Batch, Gatherer
from memlane.workers.lane.receipts import ReceiptSender
from memlane.workers.lane.settling import Settler
from memlane.workers.lane.suspicion import POISON_AFTER, SUSPECT_AFTER, Suspicion
from memlane.workers.settings import WorkerSettings

log: Final = structlog.get_logger("memlane.lane")

_WATCH_SECONDS: Final = 1.0
_LOOK_SECONDS: Final = 1.0
"""How often it is looked whether there are suspects."""

_CANCEL_AGAIN_SECONDS: Final = 1.0


class WorkerClockBehind(Exception):
    """Most producers are ahead of this worker's clock."""


class Subscription:
    """Takes a lane's messages, on two channels of a connection.

    Args:
        sink: applies their commands.
        settings: of this worker.
        settler: parks and delays.
        receipts: tells who waits.
        breaker: hears of every batch that was applied.
        suspicion: what this worker gave back itself.
        clocks: whose clock is wrong.
        access: who may write what; None: everybody everything.
        now: the worker's clock.
        on_applied: told how many commands were applied.
    """

    def __init__(
        self,
        sink: Sink,
        settings: WorkerSettings,
        settler: Settler,
        receipts: ReceiptSender,
        *,
        breaker: Breaker,
        suspicion: Suspicion,
        clocks: ClockWatch,
        access: Access | None,
        now: Callable[[], datetime],
        on_applied: Callable[[int], None],
    ) -> None:
        self._on_applied = on_applied
        self._sink = sink
        self._settings = settings
        self._settler = settler
        self._receipts = receipts
        self._breaker = breaker
        self._suspicion = suspicion
        self._clocks = clocks
        self._access = access
        self._now = now
        self._gatherer = Gatherer(settings.batch_commands, settings.prefetch, now, access)
        self._applying = asyncio.Lock()
        self._has_set_aside = asyncio.Event()
        self._tried: list[DeliveredMessage] = []

    async def consume(
        self,
        connection: AbstractConnection,
        publishing: AbstractConnection,
        ending: asyncio.Event,
        on_start: Callable[[], None],
    ) -> None:
        """Consumes until it is to end, and then finishes what is in hand; whatever is not acked is requeued.

        Raises:
            SinkUnavailable: the sink has gone.
            WorkerClockBehind: most producers are ahead.
            BrokerError: something could not be parked or delayed.
        """
        channels: list[AbstractChannel] = []
        try:
            lane = await self._open(connection, channels)
            # Not on the same connection: while too much is in hand, nothing is read from that.
            alone = await self._open(publishing, channels)
            tag = await lane.subscribe(
                lane_queue(self._sink.name), self._gatherer.put, self._gatherer.has_space
            )
            on_start()
            await self._work_until(ending, lane, tag, alone)
        finally:
            # Nothing more is taken; but the broker's answers stand behind what it has sent already.
            self._gatherer.close()
            self._suspicion.gave_back([*self._gatherer.in_hand, *self._tried])
            for channel in channels:
                await channel.close()

    async def _open(self, connection: AbstractConnection, channels: list[AbstractChannel]) -> DriverChannel:
        channel = await connection.channel()
        channels.append(channel)
        await channel.set_qos(prefetch_count=self._settings.prefetch)
        # The driver's own channel: wrapping each message would cost as much as applying it.
        driver = await channel.get_underlay_channel()
        assert isinstance(driver, DriverChannel)  # noqa: S101  # `connect` sees to it
        return driver

    async def _work_until(
        self, ending: asyncio.Event, lane: DriverChannel, tag: str, alone: DriverChannel
    ) -> None:
        gathering = asyncio.create_task(self._gatherer.run())
        working = asyncio.create_task(self._work(lane))
        trying = asyncio.create_task(self._try_suspects(alone))
        probing = asyncio.create_task(self._breaker.watch_while(lambda: self._gatherer.is_idle))
        stopped = asyncio.create_task(ending.wait())
        watching = asyncio.create_task(_until_cancelled_by_broker(lane, tag))
        failing = (gathering, working, trying, probing)
        tasks: tuple[asyncio.Task[object], ...] = (*failing, stopped, watching)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if stopped.done() and not any(task.done() for task in failing):
                with suppress(TimeoutError):
                    await self._drain(lane, tag, working, trying)
            for task in failing:
                if task.done():
                    task.result()
        finally:
            await end(*tasks, again=_CANCEL_AGAIN_SECONDS)

    async def _work(self, driver: DriverChannel) -> None:
        while True:
            batch = await self._gatherer.get()
            self._watch_clocks(batch)
            # No suspect is tried before this is acked: what ended the process then would come back twice.
            async with self._applying:
                await self._set_suspects_aside(batch)
                await self._process(batch.remaining)
                # Every delivery of the batch is decided, and so were all before: one ack for the prefix.
                await driver.basic_ack(batch.deliveries[-1].tag, multiple=True)
            self._gatherer.done(batch)
            self._breaker.applied()

    async def _set_suspects_aside(self, batch: Batch) -> None:
        """Moves what came back too often to where it is tried alone, before anything is applied."""
        suspects = [
            one for one in batch.deliveries if self._suspicion.times_back(one.message) >= SUSPECT_AFTER
        ]
        for suspect in suspects:
            await self._settler.set_aside(suspect, self._now())
        if suspects:
            batch.without(suspects)
            self._has_set_aside.set()
            log.warning(
                "messages came back too often, will be tried one by one",
                **{log_keys.SINK: self._sink.name, log_keys.COUNT: len(suspects)},
            )

    async def _try_suspects(self, driver: DriverChannel) -> None:
        """One after the other, whenever there may be some."""
        while True:
            while await self._try_one(driver):
                pass
            self._has_set_aside.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._has_set_aside.wait()

    async def _try_one(self, driver: DriverChannel) -> bool:
        """Decides the next suspect, if there is one.

        One that ends its worker again is taken apart, down to the command that is parked.
        """
        # Only taken while nothing else is applied: what is in hand when the process ends is counted.
        async with self._applying:
            message = await driver.basic_get(suspect_queue(self._sink.name))
            if not isinstance(message.delivery, spec.Basic.GetOk):
                return False
            delivery = read_delivery(message, newest_allowed(self._now()), self._access)
            times = self._suspicion.times_back(message)
            self._tried.append(message)
            try:
                await self._decide(delivery, times)
            except Exception as error:
                if kind_of(error) is not FailureKind.OUTAGE:
                    raise
                # A new message in place of this one, so that the outage does not count against it.
                await self._settler.set_aside(delivery, self._now())
                await driver.basic_ack(delivery.tag)
                raise
            await driver.basic_ack(delivery.tag)
            self._tried.clear()
            return True

    async def _decide(self, delivery: Delivery, times: int) -> None:
        """What becomes of a suspect that came back so often."""
        if times < POISON_AFTER:
            await self._process([delivery])
            return
        now = self._now()
        if len(delivery.commands) > 1:
            told = await self._settler.set_aside_singly(delivery, now)
        else:
            told = await self._settler.park_poison(delivery, Poison(_POISON.format(times=times)), now)
        await self._receipts.send(delivery, told)

    async def _process(self, deliveries: list[Delivery]) -> None:
        """Applies what came, and settles it. Repairs are a batch of their own: no other is taken for one."""
        repairs = [delivery for delivery in deliveries if self._settler.is_repair(delivery)]
        if repairs:
            await self._process_alike(repairs, repair=True)
            tags = {delivery.tag for delivery in repairs}
            deliveries = [delivery for delivery in deliveries if delivery.tag not in tags]
        await self._process_alike(deliveries, repair=False)

    async def _process_alike(self, deliveries: Sequence[Delivery], *, repair: bool) -> None:
        now = self._now()
        commands = [command for delivery in deliveries for command in delivery.commands]
        results = await apply(self._sink, commands, now, repair=repair) if commands else []
        at = 0
        for delivery in deliveries:
            own = results[at : at + len(delivery.commands)]
            at += len(delivery.commands)
            told = await self._settler.settle(delivery, own, now)
            if told:
                await self._receipts.send(delivery, told)
        self._on_applied(len(commands))

    def _watch_clocks(self, batch: Batch) -> None:
        now = self._now()
        ahead = {delivery.producer: delivery.is_ahead for delivery in batch.deliveries if delivery.is_new}
        for producer, is_ahead in ahead.items():
            self._clocks.saw(producer, ahead=is_ahead, now=now)
        if self._clocks.worker_is_behind(now):
            message = "most producers are ahead of this worker's clock: set it; the lane is paused"
            raise WorkerClockBehind(message)

    async def _drain(self, driver: DriverChannel, tag: str, *working: "asyncio.Task[None]") -> None:
        """Lets what is in hand finish, within the bound; the rest is requeued."""
        bound = self._settings.drain_timeout.total_seconds()
        self._gatherer.has_space.set()
        await driver.basic_cancel(tag, timeout=bound)
        drained = asyncio.create_task(self._until_nothing_is_in_hand())
        await asyncio.wait({drained, *working}, timeout=bound, return_when=asyncio.FIRST_COMPLETED)
        drained.cancel()

    async def _until_nothing_is_in_hand(self) -> None:
        await self._gatherer.wait_idle()
        await self._applying.acquire()


_POISON: Final = "the worker's process ended {times} times while it applied this message alone"


async def _until_cancelled_by_broker(driver: DriverChannel, tag: str) -> None:
    """Returns when the broker has ended a subscription, as it does when the queue is deleted or moves."""
    # The driver tells nobody; it only takes the consumer off its list.
    while tag in driver.consumers:  # noqa: ASYNC110
        await asyncio.sleep(_WATCH_SECONDS)
