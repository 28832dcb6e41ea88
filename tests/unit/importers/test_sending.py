"""Sending lines: full messages, some at a time, at a rate, whatever goes wrong."""

import asyncio
import io
import json
import time
from collections.abc import Sequence

import pytest

from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import BrokerUnreachable
from memlane.contracts.receipt import Receipt, SinkReceipt
from memlane.producers.importers import BadLine, ImportReport, read_jsonl, send_lines
from memlane.producers.importers.sending import MAX_UNDER_WAY


def source(lines: int) -> io.BytesIO:
    """So many lines; every tenth is bad."""
    good = json.dumps({"user_id": "u", "key": "k", "value": 1})
    return io.BytesIO("\n".join("{}" if n % 10 == 9 else good for n in range(lines)).encode())


class Sender:
    """Stands for a client: takes commands, at the pace that the test sets."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, commands: Sequence[AnyCommand]) -> Sequence[Receipt]:
        """Confirms them a little later."""
        self.batches.append(len(commands))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        said = SinkReceipt(id=commands[0].id, decision="applied")
        return [
            Receipt(version=one.id, confirmed=True, sinks={"sqlite": said, "redis": None}) for one in commands
        ]


async def test_all_good_lines_are_sent_in_full_messages_and_bad_ones_are_told_of() -> None:
    """500 lines at a time, never more than a few batches under way."""
    send, report, bad = Sender(), ImportReport(), list[BadLine]()
    await send_lines(read_jsonl(source(5200)), send, report, on_bad=bad.append)
    assert (report.read, report.sent, report.bad, report.undated) == (5200, 4680, 520, 4680)
    assert [line.number for line in bad[:2]] == [10, 20]
    assert send.batches == [450] * 10 + [180]
    assert 1 < send.most_at_once <= MAX_UNDER_WAY
    assert report.decisions == {("sqlite", "applied"): 4680, ("redis", "pending"): 4680}
    assert report.rate > 0


async def test_a_dry_run_sends_nothing() -> None:
    """But reads and checks all of it."""
    report = ImportReport()
    await send_lines(read_jsonl(source(100)), None, report)
    assert (report.read, report.sent, report.bad) == (100, 0, 10)


async def test_progress_is_told_up_to_the_last_byte() -> None:
    """For a bar."""
    ends: list[int] = []
    data = source(1200)
    await send_lines(read_jsonl(data), None, ImportReport(), on_progress=ends.append)
    assert ends == sorted(ends)
    assert ends[-1] == len(data.getvalue())


async def test_a_rate_is_kept_and_flows_in_small_batches() -> None:
    """Ten batches a second at the least."""
    send, report = Sender(), ImportReport()
    started = time.monotonic()
    await send_lines(read_jsonl(source(100)), send, report, rate=400)
    assert time.monotonic() - started >= 100 / 400
    assert max(send.batches) <= 40


async def test_an_error_ends_it_and_nothing_stays_under_way() -> None:
    """What was confirmed before is counted."""
    confirmed = asyncio.Event()

    async def send(commands: Sequence[AnyCommand]) -> Sequence[Receipt]:
        if not confirmed.is_set():
            confirmed.set()
            return [Receipt(version=one.id, confirmed=True) for one in commands]
        await asyncio.sleep(0.001)
        raise BrokerUnreachable("gone")

    report = ImportReport()
    with pytest.raises(BrokerUnreachable):
        await send_lines(read_jsonl(source(10_000)), send, report)
    assert report.sent == 450
    assert report.read < 10_000


async def test_an_empty_source_is_no_error() -> None:
    """Nothing to do."""
    report = ImportReport()
    await send_lines(read_jsonl(io.BytesIO(b"\n\n")), Sender(), report)
    assert (report.read, report.rate) == (0, 0.0)
