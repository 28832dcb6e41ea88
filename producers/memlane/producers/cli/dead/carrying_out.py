"""Doing to the parked messages what is planned: several under way, at a bounded rate."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aio_pika.abc import AbstractConnection
from aiormq.abc import DeliveredMessage

from memlane.producers.cli.dead.letters import Letter, read_letter
from memlane.producers.cli.dead.plan import Plan
from memlane.producers.cli.dead.reading import Reading, reading
from memlane.producers.cli.progress import OnProgress
from memlane.producers.ending import end

MAX_UNDER_WAY: Final = 100
"""Messages that are published and not confirmed yet."""

LONGEST_PASS: Final = timedelta(minutes=10)
"""The broker takes messages back that are held for half an hour."""

PATIENCE_SECONDS: Final = 2.0
"""So long it looks for messages that are not there: what was looked at last takes a moment to be back."""

_AGAIN_SECONDS: Final = 0.1

Act = Callable[[Letter, DeliveredMessage], Awaitable[None]]
"""What is done to a message before it leaves the queue. If it raises, the message stays."""


@dataclass(slots=True)
class Report:
    """How far it has come.

    Attributes:
        messages: distinct messages that were dealt with.
        commands: in them.
        copies: messages that were taken out of the queue, copies counted.
        seconds: since it began.
    """

    messages: int = 0
    commands: int = 0
    copies: int = 0
    seconds: float = 0.0


class Carrier:
    """Goes through the queue as often as need be; one pass, unless a low rate makes it long.

    Args:
        sink: whose queue.
        plan: which messages; used up.
        act: done once to all copies of a message, before any of them leaves the queue.
        report: kept up to date, also when something raises.
        rate: the most commands a second.
        longest_pass: then everything that is not meant goes back, and a new pass begins.
        on_progress: told of each distinct message.
    """

    def __init__(
        self,
        sink: str,
        plan: Plan,
        act: Act,
        report: Report,
        *,
        rate: float | None = None,
        longest_pass: timedelta = LONGEST_PASS,
        on_progress: OnProgress = lambda _done, _all: None,
    ) -> None:
        self._sink = sink
        self._plan = plan
        self._act = act
        self._report = report
        self._rate = rate
        self._longest_pass = longest_pass.total_seconds()
        self._on_progress = on_progress
        self._acting: dict[bytes, asyncio.Task[None]] = {}
        self._acted: set[bytes] = set()
        self._under_way: set[asyncio.Task[None]] = set()
        self._due = 0.0

    async def run(self, connection: AbstractConnection) -> None:
        """Does it. Interrupted at any point, each message is either dealt with or still parked, or both.

        What somebody else holds or has taken meanwhile is left out: the report says less than the plan then.

        Raises:
            NotFound: there is no such queue.
            BrokerError: what `act` raises, or the connection was lost.
        """
        began = self._due = time.monotonic()
        patience = began + PATIENCE_SECONDS
        try:
            while self._plan.left.total() and time.monotonic() < patience:
                if await self._pass(connection):
                    patience = time.monotonic() + PATIENCE_SECONDS
                else:
                    await asyncio.sleep(_AGAIN_SECONDS)
        finally:
            self._report.seconds = time.monotonic() - began

    async def _pass(self, connection: AbstractConnection) -> bool:
        """Returns whether any of the messages was found."""
        ends = time.monotonic() + self._longest_pass
        async with reading(connection, self._sink) as found:
            try:
                return await self._go_through(found, ends)
            finally:
                await end(*self._under_way, *self._acting.values())
                self._under_way.clear()
                self._acting.clear()

    async def _go_through(self, found: Reading, ends: float) -> bool:
        begun = False
        async for message in found:
            letter = read_letter(message, self._sink)
            if not self._plan.left[letter.key]:
                continue
            if begun and time.monotonic() > ends:
                break
            begun = True
            self._plan.left[letter.key] -= 1
            await self._begin(found, letter, message)
            if not self._plan.left.total():
                break
        while self._under_way:
            await self._one_more_done()
        return begun

    async def _begin(self, found: Reading, letter: Letter, message: DeliveredMessage) -> None:
        if letter.identity not in self._acted and letter.identity not in self._acting:
            await self._pace(len(letter.commands))
            self._acting[letter.identity] = asyncio.create_task(self._deal_with(letter, message))
        while len(self._under_way) >= MAX_UNDER_WAY:
            await self._one_more_done()
        self._under_way.add(asyncio.create_task(self._finish(found, letter, message)))

    async def _pace(self, commands: int) -> None:
        """Waits until it is this message's turn; without a rate it only lets the confirms in."""
        await asyncio.sleep(max(0.0, self._due - time.monotonic()))
        if self._rate is not None:
            self._due = max(self._due, time.monotonic()) + commands / self._rate

    async def _deal_with(self, letter: Letter, message: DeliveredMessage) -> None:
        await self._act(letter, message)
        self._acted.add(letter.identity)
        self._report.messages += 1
        self._report.commands += len(letter.commands)
        self._on_progress(self._report.messages, self._plan.messages)

    async def _finish(self, found: Reading, letter: Letter, message: DeliveredMessage) -> None:
        if letter.identity not in self._acted:
            await asyncio.shield(self._acting[letter.identity])
            self._acting.pop(letter.identity, None)
        await found.ack(message)
        self._report.copies += 1

    async def _one_more_done(self) -> None:
        done, self._under_way = await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
