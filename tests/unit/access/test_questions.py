"""Which questions are answered, and how much of an answer is shown."""

import tomllib
from typing import Final

import pytest

from memlane.contracts.query import AnyQuestion, GetQuestion, ListQuestion, SearchQuestion, StatsQuestion
from memlane.contracts.reply import DigestModel, SinkStats, SinkStatsReport, StatsAnswer
from memlane.workers.access import Access, Principal
from memlane.workers.access.questions import refusals, shown
from memlane.workers.access.rules_file import AccessRules

RULES: Final = """
[[rules]]
accounts = ["alice"]
users = ["alice"]
may = ["read"]
[[rules]]
accounts = ["alice"]
users = ["shop"]
namespaces = ["public"]
may = ["read"]
[[rules]]
accounts = ["reader"]
users = ["*"]
may = ["read"]
"""
STATS: Final = SinkStats(
    live=1,
    deleted=0,
    expired=0,
    refused=0,
    marks=0,
    digest=DigestModel(count=1, sum=5),
    incarnation="i",
    changes=77,
    durable=True,
    bytes=4096,
)
ANSWER: Final = StatsAnswer(complete=True, sinks={"s": SinkStatsReport(status="ok", ms=1.5, stats=STATS)})


@pytest.fixture
def access() -> Access:
    """By these rules."""
    return Access(AccessRules.model_validate(tomllib.loads(RULES)), "worker")


def test_each_question_is_judged_by_itself(access: Access) -> None:
    """A get by its namespace, a list and a search by what they take in, stats by the user."""
    questions: list[AnyQuestion] = [
        GetQuestion(user_id="alice", key="k"),
        GetQuestion(user_id="shop", key="k"),
        GetQuestion(user_id="shop", namespace="public/x", key="k"),
        ListQuestion(user_id="shop"),
        ListQuestion(user_id="shop", namespace="public"),
        SearchQuestion(user_id="shop", text="x"),
        SearchQuestion(user_id="shop", text="x", namespace="publicX"),
        StatsQuestion(user_id="shop"),
        StatsQuestion(user_id="alice"),
        StatsQuestion(),
    ]
    found = refusals(access, Principal("alice"), questions)
    assert sorted(found) == [1, 3, 5, 6, 7]
    assert {one.kind for one in found.values()} == {"denied"}
    assert found[3].field == "questions.3.user_id"
    assert sorted(refusals(access, Principal(None), questions)) == list(range(len(questions)))
    assert refusals(access, Principal("reader"), questions) == {}
    assert refusals(access, Principal("worker"), questions) == {}


def test_numbers_of_all_are_for_who_may_read_all(access: Access) -> None:
    """Everybody else learns how the sinks are."""
    everybody, own = StatsQuestion(), StatsQuestion(user_id="alice")
    assert shown(access, Principal("reader"), everybody, ANSWER) == ANSWER
    told = shown(access, Principal("alice"), everybody, ANSWER)
    assert isinstance(told, StatsAnswer)
    assert (told.complete, told.sinks["s"].status, told.sinks["s"].ms) == (True, "ok", 1.5)
    assert told.sinks["s"].stats is None
    told = shown(access, Principal("alice"), own, ANSWER)
    assert isinstance(told, StatsAnswer)
    assert told.sinks["s"].stats == STATS.model_copy(update={"bytes": None, "changes": 0})
