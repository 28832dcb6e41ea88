"""Sends what sinks lack to their lanes, as ordinary commands under their own versions."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import InvalidInput
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.receipt import SinkReceipt
from memlane.workers.lane_sender import LaneSender
from memlane.workers.parcels import Parcel, packed

MAX_UNDER_WAY: Final = 8
"""Messages (of 500 commands, or 1 MiB) that are in lanes and not decided: their own traffic goes on."""

ANSWER_SECONDS: Final = 20.0
"""So long a round waits for a receipt."""

FIRST_AGAIN: Final = 20.0
MOST_AGAIN: Final = 900.0
"""After so long, in seconds, an unanswered repair is sent again, first and at most; each time twice as long.

Its answer may have been lost with a connection. Or its lane still tries: the most is longer than all delays
of the default retries.
"""

Name = tuple[str, str, str]
"""A repair: the sink, the version and the hash."""


@dataclass(slots=True)
class Repaired:
    """What became of repairs.

    Attributes:
        done: applied, or something newer was there.
        parked: in the sink's dead-letter queue: not sent again.
        waiting: sent, and not answered yet.
        unsayable: larger than a message, in canonical form.
    """

    done: int = 0
    parked: int = 0
    waiting: int = 0
    unsayable: int = 0

    def add(self, other: "Repaired") -> None:
        """Counts another one's as well."""
        self.done += other.done
        self.parked += other.parked
        self.waiting += other.waiting
        self.unsayable += other.unsayable


class _Waiting(NamedTuple):
    """A repair that was sent: until when it is waited for, and how long that is."""

    until: float
    seconds: float


class RepairBook:
    """Which repairs are under way or in vain, over the rounds: those are not sent again.

    Args:
        clock: in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waiting: dict[Name, _Waiting] = {}
        self._parked: set[Name] = set()
        self._stores: dict[str, str] = {}

    def begin(self, sink: str, incarnation: str) -> None:
        """A round compares this store. What another one of the sink was sent, this one may have lost."""
        if self._stores.get(sink, incarnation) != incarnation:
            self._waiting = {name: of for name, of in self._waiting.items() if name[0] != sink}
        self._stores[sink] = incarnation

    def is_parked(self, sink: str, version: str, hash_: str) -> bool:
        """Whether the sink has parked it."""
        return (sink, version, hash_) in self._parked

    def is_waiting(self, sink: str, version: str, hash_: str) -> bool:
        """Whether it was sent, and may still be decided."""
        waiting = self._waiting.get((sink, version, hash_))
        return waiting is not None and self._clock() < waiting.until

    def sent(self, sink: str, commands: Iterable[AnyCommand]) -> None:
        """Notes what is on its way."""
        at = self._clock()
        # Long after its time nobody wants it any more: something newer is there.
        self._waiting = {name: of for name, of in self._waiting.items() if at - of.until < MOST_AGAIN}
        for command in commands:
            name = sink, command.id, command_hash(command)
            before = self._waiting.get(name)
            seconds = FIRST_AGAIN if before is None else min(MOST_AGAIN, 2 * before.seconds)
            self._waiting[name] = _Waiting(at + seconds, seconds)

    def not_sent(self, sink: str, commands: Iterable[AnyCommand]) -> None:
        """Notes what did not leave."""
        for command in commands:
            self._waiting.pop((sink, command.id, command_hash(command)), None)

    def heard(self, sink: str, command: AnyCommand, receipt: SinkReceipt) -> None:
        """Notes what became of one."""
        name = (sink, command.id, command_hash(command))
        self._waiting.pop(name, None)
        if receipt.decision == "parked":
            self._parked.add(name)


class Repairs:
    """Sends repairs.

    Args:
        sender: to the lanes.
        book: of all rounds.
    """

    def __init__(self, sender: LaneSender, book: RepairBook) -> None:
        self._sender = sender
        self._book = book
        self._room = asyncio.Semaphore(MAX_UNDER_WAY)

    async def send(self, sink: str, commands: Sequence[AnyCommand]) -> Repaired:
        """Sends commands to one lane, and waits a while until it has decided them.

        Raises:
            BrokerError: they could not be published.
        """
        good = [command for command in commands if _is_sayable(command)]
        by_version = {command.id: command for command in good}
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._send(sink, parcel, by_version)) for parcel in packed(None, good)]
        repaired = Repaired(unsayable=len(commands) - len(good))
        for task in tasks:
            repaired.add(task.result())
        return repaired

    async def _send(self, sink: str, parcel: Parcel, by_version: dict[str, AnyCommand]) -> Repaired:
        commands = [by_version[version] for version in parcel.versions]
        async with self._room:
            with self._sender.send(sink, parcel, repair=True) as sent:
                self._book.sent(sink, commands)
                try:
                    await sent.publish()
                except BaseException:
                    self._book.not_sent(sink, commands)
                    raise
                await sent.wait(ANSWER_SECONDS)
        repaired = Repaired(waiting=len(commands) - len(sent.receipts))
        for version, receipt in sent.receipts.items():
            if version in by_version:
                self._book.heard(sink, by_version[version], receipt)
                repaired.parked += receipt.decision == "parked"
                repaired.done += receipt.decision != "parked"
        return repaired


def _is_sayable(command: AnyCommand) -> bool:
    """In canonical form a command can be larger than a message: then only its own one can say it."""
    try:
        encode_command(command)
    except InvalidInput:
        return False
    return True
