"""Lists and searches: all sinks at once, merged; what a sink knows to be gone is dropped."""

import asyncio
from collections.abc import Mapping, Sequence

from memlane.contracts.address import Address
from memlane.contracts.merge import MergedPage, merge_listed, merge_ranked, without_superseded
from memlane.contracts.query import GetQuestion, ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page, PageAnswer, SinkReport
from memlane.workers.aggregator.round import Round


async def answer_page(round_: Round, question: ListQuestion | SearchQuestion) -> PageAnswer:
    """The answer to a list or a search, from all sinks that answer before the deadline."""
    pages = await _ask_everyone(round_, question)
    merged = _merge(pages, question)
    known, all_confirmed = await _confirm(round_, merged, pages)
    hits = without_superseded(merged.hits, known)
    reports = {
        sink: report.model_copy(update={"hits": len(pages[sink].hits) if sink in pages else 0})
        for sink, report in round_.reports.items()
    }
    missing = [sink for sink in round_.sinks if sink not in pages and not round_.is_rebuilding(sink)]
    complete = all_confirmed and bool(pages) and not missing
    return PageAnswer(hits=hits, cursor=merged.cursor, complete=complete, sinks=reports)


async def _ask_everyone(round_: Round, question: ListQuestion | SearchQuestion) -> dict[str, Page]:
    async with asyncio.TaskGroup() as group:
        asked = {
            sink: group.create_task(round_.ask(sink, [question], round_.seconds_left))
            for sink in round_.sinks
        }
    answers = {sink: task.result().answers for sink, task in asked.items()}
    return {sink: said[0] for sink, said in answers.items() if len(said) == 1 and isinstance(said[0], Page)}


def _merge(pages: Mapping[str, Page], question: ListQuestion | SearchQuestion) -> MergedPage:
    if isinstance(question, ListQuestion):
        return merge_listed(pages, question.limit, question.order)
    if not question.text.strip():
        return merge_listed(pages, question.limit)._replace(cursor=None)
    return merge_ranked(pages, question.limit)


async def _confirm(
    round_: Round, merged: MergedPage, pages: Mapping[str, Page]
) -> tuple[dict[Address, list[Fetched]], bool]:
    """Asks about hits that a sink did not bring itself, only where the user's digests differ.

    Returns:
        What those sinks hold at the hits' addresses, and whether all of them could say.
    """
    digests = {(page.digest.count, page.digest.sum) for page in pages.values()}
    if len(digests) <= 1 or not merged.hits:
        return {}, True
    wanted = {sink: _not_brought(merged, page) for sink, page in pages.items()}
    async with asyncio.TaskGroup() as group:
        tasks = {
            sink: group.create_task(_fetch(round_, sink, addresses))
            for sink, addresses in wanted.items()
            if addresses
        }
    known: dict[Address, list[Fetched]] = {}
    for sink, task in tasks.items():
        for address, fetched in zip(wanted[sink], task.result(), strict=False):
            known.setdefault(address, []).append(fetched)
    return known, all(len(task.result()) == len(wanted[sink]) for sink, task in tasks.items())


def _not_brought(merged: MergedPage, page: Page) -> list[Address]:
    brought = {(hit.entry.address, hit.entry.version) for hit in page.hits}
    return [hit.entry.address for hit in merged.hits if (hit.entry.address, hit.entry.version) not in brought]


async def _fetch(round_: Round, sink: str, addresses: Sequence[Address]) -> list[Fetched]:
    questions = [GetQuestion(user_id=a.user_id, namespace=a.namespace, key=a.key) for a in addresses]
    before: SinkReport = round_.reports[sink]
    reply = await round_.ask(sink, questions, round_.seconds_left)
    after = round_.reports[sink]
    round_.reports[sink] = after.model_copy(update={"ms": round(before.ms + after.ms, 3)})
    return [answer for answer in reply.answers if isinstance(answer, Fetched)]
