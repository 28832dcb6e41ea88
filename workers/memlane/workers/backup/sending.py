"""Commands to all sinks, and what became of them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from memlane.contracts.command import AnyCommand
from memlane.producers.client.memory_client import MemoryClient
from memlane.producers.client.writing import Wait
from memlane.producers.importers.jsonl import GoodLine
from memlane.producers.importers.sending import ImportReport, send_lines
from memlane.workers.backup.format import Kind, kind_of

OnProgress = Callable[[int], None]
"""Told how many commands were taken so far."""


@dataclass(slots=True)
class Sent:
    """What was sent.

    Attributes:
        report: how far it came, and what the sinks decided.
        kinds: how many there were of each kind.
    """

    report: ImportReport = field(default_factory=ImportReport)
    kinds: Counter[Kind] = field(default_factory=Counter)


async def send_all(
    memory: MemoryClient | None,
    commands: Iterable[AnyCommand],
    sent: Sent,
    *,
    wait: Wait,
    rate: float | None = None,
    on_progress: OnProgress = lambda _done: None,
) -> None:
    """Sends commands under their own versions.

    Args:
        memory: connected; None sends nothing: a dry run.
        commands: read as they are needed.
        sent: kept up to date, also when this raises.
        wait: until who has them.
        rate: the most commands a second.
        on_progress: told as it goes on.

    Raises:
        MemlaneError: as `MemoryClient.send`. What was sent before stays.
    """
    lines = _numbered(commands, sent.kinds)
    send = None if memory is None else lambda batch: memory.send(batch, wait=wait)
    await send_lines(lines, send, sent.report, rate=rate, on_progress=on_progress)


def _numbered(commands: Iterable[AnyCommand], kinds: Counter[Kind]) -> Iterator[GoodLine]:
    for number, command in enumerate(commands, 1):
        kinds[kind_of(command)] += 1
        yield GoodLine(number, number, command, dated=True)
