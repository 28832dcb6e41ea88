"""Gets: the preferred sink first, the next where it fails, is late, lags or does not know."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from memlane.contracts.merge import newest
from memlane.contracts.query import GetQuestion
from memlane.contracts.reply import Fetched, GetAnswer, SinkReport
from memlane.workers.aggregator.round import NOT_MISSING, Round


@dataclass(slots=True)
class _Open:
    """A question that is not answered yet, and what was said about it so far."""

    question: GetQuestion
    said: dict[str, Fetched] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether some sink has said what is there, and it is not older than the asker's own write."""
        best = newest(self.said.values())
        return best.state != "unknown" and not self.is_stale(best)

    def is_stale(self, answer: Fetched) -> bool:
        """Whether the asker is known to have written something newer."""
        wanted = self.question.min_version
        return wanted is not None and (answer.version or "") < wanted


async def answer_gets(round_: Round, questions: Sequence[GetQuestion], *, ask_all: bool) -> list[GetAnswer]:
    """The answers to gets, all in one message to a sink.

    A write that no sink has applied yet is waited for, until the deadline.
    """
    open_ = [_Open(question) for question in questions]
    pause = 0.004
    while open_:
        await (_ask_everyone(round_, open_) if ask_all else _ask_in_turn(round_, open_))
        lagging = [one for one in open_ if one.said and one.is_stale(newest(one.said.values()))]
        if not lagging or round_.seconds_left <= pause:
            return [_answer(round_, one, ask_all=ask_all) for one in open_]
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.1)
        for one in lagging:
            one.said.clear()
    return []


async def _ask_in_turn(round_: Round, open_: Sequence[_Open]) -> None:
    """Asks the next sink where the one before could not say, or is slow; that one may still answer."""
    under_way: dict[asyncio.Task[None], str] = {}
    try:
        for sink in round_.quickest_first():
            unsettled = [one for one in open_ if not one.is_settled]
            if not unsettled:
                round_.skip(sink)
                continue
            asking = asyncio.create_task(_ask(round_, sink, unsettled, round_.seconds_left))
            under_way[asking] = sink
            await _wait_for_answers(under_way, open_, round_.patience)
        await _wait_for_answers(under_way, open_, round_.seconds_left)
    finally:
        for asking, sink in under_way.items():
            asking.cancel()
            round_.give_up(sink)
        await asyncio.gather(*under_way, return_exceptions=True)


async def _wait_for_answers(
    under_way: dict[asyncio.Task[None], str], open_: Sequence[_Open], seconds: float
) -> None:
    """Returns when all questions are settled, when all sinks asked have answered, or after the time."""
    deadline = time.monotonic() + seconds
    while under_way and not all(one.is_settled for one in open_):
        left = max(0.0, deadline - time.monotonic())
        done, _ = await asyncio.wait(under_way, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if not done:
            return
        for asking in done:
            del under_way[asking]
            asking.result()


async def _ask_everyone(round_: Round, open_: Sequence[_Open]) -> None:
    async with asyncio.TaskGroup() as group:
        for sink in round_.sinks:
            group.create_task(_ask(round_, sink, list(open_), round_.seconds_left))


async def _ask(round_: Round, sink: str, asked: Sequence[_Open], seconds: float) -> None:
    """Takes a sink's answers; asks again for those that had no room in its reply."""
    deadline = time.monotonic() + seconds
    while asked:
        reply = await round_.ask(sink, [one.question for one in asked], max(0.0, deadline - time.monotonic()))
        for one, answer in zip(asked, reply.answers, strict=False):
            if isinstance(answer, Fetched):
                one.said[sink] = answer
        if not reply.answers:
            return
        asked = asked[len(reply.answers) :]
    round_.was_quick(sink)


def _answer(round_: Round, one: _Open, *, ask_all: bool) -> GetAnswer:
    best = newest(one.said.values())
    reports = {
        sink: report.model_copy(update={"hits": int(sink in one.said and one.said[sink].state == "entry")})
        for sink, report in round_.reports.items()
    }
    if not one.said or one.is_stale(best):
        return GetAnswer(state="unanswered", complete=False, sinks=reports)
    return GetAnswer(
        state=best.state,
        version=best.version,
        entry=best.entry,
        complete=_is_complete(best, reports, ask_all=ask_all),
        sinks=reports,
    )


def _is_complete(best: Fetched, reports: dict[str, SinkReport], *, ask_all: bool) -> bool:
    """Who says what is there is enough, unless all were to; that nobody knows of it rests on everybody."""
    if best.state != "unknown" and not ask_all:
        return True
    if best.state == "unknown" and best.version is not None:
        return False
    return all(report.status in NOT_MISSING for report in reports.values())
