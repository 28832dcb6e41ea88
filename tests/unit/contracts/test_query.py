"""Questions: what may be asked, and what is refused with its field."""

from typing import Any

import pytest

from memlane.contracts.errors import InvalidInput
from memlane.contracts.query import QUESTION, SearchQuestion
from memlane.contracts.validation import validate
from memlane.storage.conformance.commands import version


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"type": "list"}, "user_id"),
        ({"type": "list", "user_id": "u", "limit": 0}, "limit"),
        ({"type": "list", "user_id": "u", "limit": 501}, "limit"),
        ({"type": "list", "user_id": "u", "order": "x"}, "order"),
        ({"type": "list", "user_id": "u", "cursor": {"version": version(1), "namespace": "a"}}, "cursor.key"),
        ({"type": "list", "user_id": "u", "filters": {"tags_any": [""]}}, "filters.tags_any.0"),
        ({"type": "list", "user_id": "u", "filters": {"updated_from": "2026-01-31"}}, "filters.updated_from"),
        ({"type": "list", "user_id": "u", "filters": {"metadata": []}}, "filters.metadata"),
        ({"type": "search", "user_id": "u", "text": "x" * 2001}, "text"),
        ({"type": "search", "user_id": "u", "text": "a\x00"}, "text"),
        ({"type": "search", "user_id": ""}, "user_id"),
        ({"type": "get", "user_id": "u"}, "key"),
        ({"type": "get", "user_id": "u", "key": "k", "min_version": "1"}, "min_version"),
        ({"type": "stats", "user_id": 5}, "user_id"),
        ({"type": "sql"}, "type"),
        ({}, "type"),
    ],
    ids=str,
)
def test_a_bad_question_is_refused_by_its_field(question: dict[str, Any], field: str) -> None:
    """With its path in the message in front."""
    with pytest.raises(InvalidInput) as caught:
        validate(QUESTION, question, "questions.0")
    assert caught.value.field == f"questions.0.{field}"


def test_a_search_without_a_text_lists_the_newest() -> None:
    """An empty text is a question too."""
    assert validate(QUESTION, {"type": "search", "user_id": "u"}) == SearchQuestion(user_id="u", text="")
