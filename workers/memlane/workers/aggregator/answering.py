"""The answers to the questions of one message."""

import asyncio
from collections.abc import Callable, Sequence

from memlane.contracts.query import AnyQuestion, GetQuestion, StatsQuestion
from memlane.contracts.reply import AnyAnswer
from memlane.workers.aggregator.gets import answer_gets
from memlane.workers.aggregator.pages import answer_page
from memlane.workers.aggregator.round import Round
from memlane.workers.aggregator.stats import answer_stats


async def answer_questions(
    questions: Sequence[AnyQuestion], new_round: Callable[[], Round], *, ask_all: bool
) -> list[AnyAnswer]:
    """An answer to each, in order; all gets are asked together.

    Args:
        questions: of one message.
        new_round: a round for a question, or for all gets.
        ask_all: whether gets are to ask every sink.
    """
    gets = [question for question in questions if isinstance(question, GetQuestion)]
    others = [question for question in questions if not isinstance(question, GetQuestion)]
    if not others:
        return list(await answer_gets(new_round(), gets, ask_all=ask_all))
    async with asyncio.TaskGroup() as group:
        for_gets = group.create_task(answer_gets(new_round(), gets, ask_all=ask_all))
        for_others = [group.create_task(_answer_one(new_round(), one)) for one in others]
    got, told = iter(for_gets.result()), iter(task.result() for task in for_others)
    return [next(got) if isinstance(q, GetQuestion) else next(told) for q in questions]


async def _answer_one(round_: Round, question: AnyQuestion) -> AnyAnswer:
    if isinstance(question, StatsQuestion):
        return await answer_stats(round_, question)
    if isinstance(question, GetQuestion):
        return (await answer_gets(round_, [question], ask_all=False))[0]
    return await answer_page(round_, question)
