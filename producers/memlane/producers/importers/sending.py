"""Commands to the broker: in full messages, several of them under way, at a bounded rate."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from memlane.contracts.command import AnyCommand
from memlane.contracts.limits import MAX_COMMANDS
from memlane.contracts.receipt import Receipt
from memlane.producers.importers.jsonl import BadLine, GoodLine

MAX_UNDER_WAY: Final = 4
"""Batches that are sent and not confirmed yet: so the next message is always ready."""

_BATCHES_A_SECOND: Final = 10
"""With a rate: so often at the least, in smaller batches, so that it flows."""

Send = Callable[[Sequence[AnyCommand]], Awaitable[Sequence[Receipt]]]
"""`MemoryClient.send`, or something like it."""


@dataclass(slots=True)
class ImportReport:
    """How far an import has come.

    Attributes:
        read: lines, blank ones not counted.
        sent: commands that the broker has confirmed.
        bad: lines that could not be taken.
        undated: good lines that do not say from when they are.
        decisions: where receipts were waited for: by sink and decision (or `pending`), how many.
        seconds: since it began.
    """

    read: int = 0
    sent: int = 0
    bad: int = 0
    undated: int = 0
    decisions: Counter[tuple[str, str]] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Lines a second."""
        return self.read / self.seconds if self.seconds > 0 else 0.0


async def send_lines(
    lines: Iterable[GoodLine | BadLine],
    send: Send | None,
    report: ImportReport,
    *,
    rate: float | None = None,
    on_bad: Callable[[BadLine], None] = lambda _line: None,
    on_progress: Callable[[int], None] = lambda _end: None,
) -> None:
    """Sends what lines come to; the bad ones are told of and left out.

    Args:
        lines: read as they are needed, never all at once.
        send: None sends nothing: a dry run.
        report: kept up to date, also when this raises.
        rate: the most lines a second.
        on_bad: told of each bad line, in order.
        on_progress: told, with each batch, how many bytes of the source were read.

    Raises:
        MemlaneError: what `send` raises. What was sent before stays; sending all of it again does no harm.
    """
    started = time.monotonic()
    under_way: set[asyncio.Task[None]] = set()
    size = MAX_COMMANDS if rate is None else max(1, min(MAX_COMMANDS, int(rate / _BATCHES_A_SECOND)))
    try:
        for batch in _batches(lines, size, report, on_bad):
            if send is not None and (
                commands := [line.command for line in batch if isinstance(line, GoodLine)]
            ):
                while len(under_way) >= MAX_UNDER_WAY:
                    under_way = await _one_more_done(under_way)
                under_way.add(asyncio.create_task(_send(send, commands, report)))
            on_progress(batch[-1].end)
            # Also without a rate: lets the broker's confirms in.
            await asyncio.sleep(
                0 if rate is None else max(0.0, started + report.read / rate - time.monotonic())
            )
            report.seconds = time.monotonic() - started
        while under_way:
            under_way = await _one_more_done(under_way)
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        report.seconds = time.monotonic() - started


def _batches(
    lines: Iterable[GoodLine | BadLine],
    size: int,
    report: ImportReport,
    on_bad: Callable[[BadLine], None],
) -> Iterator[list[GoodLine | BadLine]]:
    """So many lines at a time, counted and the bad ones told of."""
    batch: list[GoodLine | BadLine] = []
    for line in lines:
        report.read += 1
        if isinstance(line, BadLine):
            report.bad += 1
            on_bad(line)
        elif not line.dated:
            report.undated += 1
        batch.append(line)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


async def _send(send: Send, commands: Sequence[AnyCommand], report: ImportReport) -> None:
    receipts = await send(commands)
    report.sent += len(receipts)
    for receipt in receipts:
        for sink, said in receipt.sinks.items():
            report.decisions[sink, said.decision if said else "pending"] += 1


async def _one_more_done(under_way: "set[asyncio.Task[None]]") -> "set[asyncio.Task[None]]":
    done, left = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()
    return left
