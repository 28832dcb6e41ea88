"""`python -m tests.chaos.producer FOLDER`: a producer, as a process that may be killed at any moment.

It writes down each command before it sends it, and what became of it. What failed, or what its own death
left open, it mostly sends again, under the same version; a part it gives up, which stays unconfirmed. Now and
then it sends something old again, which must change nothing.

On SIGTERM it stops making commands, sends what is still open, and ends.
"""

import asyncio
import json
import signal
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Final, cast

import uvloop

from memlane.client import MemlaneError, MemoryClient
from memlane.contracts.command import AnyCommand
from memlane.producers.client.writing import Wait
from memlane.producers.settings import ClientSettings
from tests.chaos.journal import Journal, Outcome, intents, unsettled
from tests.chaos.workload import Workload, skewed_clock, universe

JOURNAL: Final = "journal.jsonl"
ORDER: Final = "order.json"
SKEW: Final = "skew.json"
PACE: Final = "pace.json"
PUBLISH_TIMEOUT: Final = timedelta(seconds=5)
GIVEN_UP: Final = 0.05
"""Of the commands that failed."""

SENT_AGAIN: Final = 0.03
"""Of the messages: something old."""

_LANES_OF_WORK: Final = 5
_MOST_AT_ONCE: Final = 12
_REMEMBERED: Final = 3000
_FINISHED_AT_ONCE: Final = 100
_TICK: Final = 0.05
_NO_SKEW: Final = timedelta(0)


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a producer is to do; written as JSON into its folder.

    Attributes:
        url: the broker.
        name: its own.
        seed: of the run.
        rate: commands a second.
        waits: how far commands are to have come, one chosen for each message.
        data: JSON Lines with real addresses.
    """

    url: str
    name: str
    seed: int
    rate: float
    waits: Sequence[str]
    data: str

    def write(self, folder: Path) -> None:
        """Puts it where the producer finds it."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / ORDER).write_text(json.dumps(asdict(self)), encoding="utf-8")


class Producer:
    """One life of a producer.

    Args:
        folder: with its order; its journal and its client's state are in there as well.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._order = Order(**json.loads((folder / ORDER).read_text(encoding="utf-8")))
        before = list(intents(folder / JOURNAL))
        self._rng = Random(f"{self._order.seed} {self._order.name} {len(before)}")
        self._open: deque[AnyCommand] = deque(self._not_given_up(unsettled(folder / JOURNAL)))
        self._old: deque[AnyCommand] = deque(before[-_REMEMBERED:], maxlen=_REMEMBERED)
        self._last = max((command.id for command in before), default=None)
        self._journal = Journal(folder / JOURNAL)
        self._skew = _NO_SKEW
        clock = skewed_clock(_NO_SKEW, self._last)
        self._workload = Workload(self._rng, universe(self._order.seed, Path(self._order.data)), clock)
        self._stopping = asyncio.Event()
        self._allowed = 0.0

    async def run(self) -> None:
        """Works until SIGTERM."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stopping.set)
        settings = ClientSettings(state_dir=self._folder / "state", publish_timeout=PUBLISH_TIMEOUT)
        async with MemoryClient(self._order.url, settings=settings) as client:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._allow())
                for _ in range(_LANES_OF_WORK):
                    group.create_task(self._work(client))
            await self._finish(client)
        self._journal.close()

    async def _allow(self) -> None:
        """Lets the lanes of work make so many commands a second; what was not used is soon forgotten."""
        while not self._stopping.is_set():
            rate = self._order.rate * self._said(PACE, 1.0)
            self._allowed = min(self._allowed + rate * _TICK, rate * 2)
            self._set_clock(timedelta(seconds=self._said(SKEW, 0.0)))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK)

    async def _work(self, client: MemoryClient) -> None:
        while not self._stopping.is_set():
            if self._open and self._rng.random() < 0.5:
                await self._send(client, [self._open.popleft()], self._wait())
            elif self._old and self._rng.random() < SENT_AGAIN:
                await self._send(client, [self._rng.choice(self._old)], self._wait())
            elif self._allowed >= 1:
                await self._send_new(client)
            else:
                await asyncio.sleep(_TICK)

    async def _send_new(self, client: MemoryClient) -> None:
        count = self._rng.randint(1, _MOST_AT_ONCE)
        self._allowed -= count
        commands = [self._workload.command() for _ in range(count)]
        self._journal.intend(commands)
        self._old += commands
        await self._send(client, commands, self._wait())

    async def _send(self, client: MemoryClient, commands: list[AnyCommand], wait: Wait = "broker") -> None:
        outcome: Outcome = "confirmed"
        try:
            receipts = await client.send(commands, wait=wait)
            if not all(receipt.confirmed for receipt in receipts):
                outcome = "queued"
        except MemlaneError:
            outcome = "failed"
            self._open += self._not_given_up(commands)
        self._journal.settle(commands, outcome)

    async def _finish(self, client: MemoryClient) -> None:
        while self._open:
            count = min(len(self._open), _FINISHED_AT_ONCE)
            await self._send(client, [self._open.popleft() for _ in range(count)])
        # What is in the outbox was promised: nobody else will send it.
        await client.flush()

    def _wait(self) -> Wait:
        return cast("Wait", self._rng.choice(self._order.waits))

    def _not_given_up(self, commands: list[AnyCommand]) -> list[AnyCommand]:
        return [command for command in commands if self._rng.random() >= GIVEN_UP]

    def _said(self, name: str, otherwise: float) -> float:
        """What the run says to this producer."""
        try:
            return float((self._folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return otherwise

    def _set_clock(self, skew: timedelta) -> None:
        if skew != self._skew:
            # Setting a clock takes a restart: one that ran on never goes back.
            self._skew = skew
            self._workload.clock = skewed_clock(skew, self._workload.clock.last)


if __name__ == "__main__":
    uvloop.run(Producer(Path(sys.argv[1])).run())
