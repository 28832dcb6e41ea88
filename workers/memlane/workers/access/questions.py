"""Which questions of a message are answered, and how much of the answer is shown."""

from collections.abc import Sequence

from memlane.contracts.errors import AccessDenied
from memlane.contracts.query import AnyQuestion, StatsQuestion
from memlane.contracts.reply import AnyAnswer, Refusal, SinkStatsReport, StatsAnswer
from memlane.workers.access.deciding import Access
from memlane.workers.access.principal import Principal


def refusals(access: Access, principal: Principal, questions: Sequence[AnyQuestion]) -> dict[int, Refusal]:
    """The refusal of each question that may not be asked, by its place.

    Stats of everybody may be asked by whoever has an account: see `shown`.
    """
    found: dict[int, Refusal] = {}
    for place, question in enumerate(questions):
        denied = _denial(access, principal, question)
        if denied is not None:
            found[place] = Refusal(
                kind="denied", field=f"questions.{place}.user_id", problem=denied.problem, hint=denied.hint
            )
    return found


def shown(access: Access, principal: Principal, question: AnyQuestion, answer: AnyAnswer) -> AnyAnswer:
    """The answer as its asker may see it.

    Who may not read everything learns how each sink is, but no number that counts what others have.
    """
    if not isinstance(answer, StatsAnswer) or access.may(principal, "read", None, None):
        return answer
    of_all = question.user_id is None
    return answer.model_copy(
        update={"sinks": {name: _without_others(said, of_all=of_all) for name, said in answer.sinks.items()}}
    )


def _denial(access: Access, principal: Principal, question: AnyQuestion) -> AccessDenied | None:
    if isinstance(question, StatsQuestion):
        if question.user_id is None:
            return None if principal.account is not None else access.denial(principal, "read", "*", None)
        return access.denial(principal, "read", question.user_id, None)
    return access.denial(principal, "read", question.user_id, question.namespace)


def _without_others(report: SinkStatsReport, *, of_all: bool) -> SinkStatsReport:
    """A store's size and its counter of changes move with everybody's entries."""
    if report.stats is None or of_all:
        return report.model_copy(update={"stats": None})
    return report.model_copy(update={"stats": report.stats.model_copy(update={"bytes": None, "changes": 0})})
