"""The published schemas take what the code takes, and nothing else."""

import json
from collections.abc import Callable
from typing import Any, Final

import pytest

from docs.generation.schemas import SCHEMAS, schema_of
from memlane.contracts import limits
from memlane.contracts.codec import decode_message
from memlane.contracts.errors import InvalidInput
from memlane.contracts.reply_codec import decode_reply, decode_sink_reply
from memlane.workers.aggregator.aggregator import read_query
from tests.house.json_schema import is_valid
from tests.house.project import DOCS, Block, blocks

# Any, in this file: JSON trees, right and wrong.
VERSION: Final = "019aa526-8c31-7d04-9a52-6f0e1b7c2d10"
STORE: Final[dict[str, Any]] = {"type": "store", "id": VERSION, "user_id": "u", "key": "k", "value": 1}
DELETE: Final[dict[str, Any]] = {"type": "delete", "id": VERSION, "user_id": "u"}
GET: Final[dict[str, Any]] = {"type": "get", "user_id": "u", "key": "k"}
LIST: Final[dict[str, Any]] = {"type": "list", "user_id": "u"}
SEARCH: Final[dict[str, Any]] = {"type": "search", "user_id": "u"}
MISSING: Final = object()
"""In place of a value: the field is left out."""

_SCHEMAS: Final = {name: schema_of(model) for name, model in SCHEMAS.items()}
_EXAMPLES: Final = [block for block in blocks(DOCS / "wire-format.md") if block.note.startswith("example: ")]

IDENTIFIERS: Final = {
    "one character": ("k", True),
    "the longest": ("k" * 255, True),
    "the longest, of characters outside of the BMP": ("🍜" * 255, True),
    "too long": ("k" * 256, False),
    "empty": ("", False),
    "a control character": ("a\nb", False),
    "a C1 control character": ("a\x85b", False),
    "ends with a line end": ("a\n", False),
    "a number": (5, False),
    "null": (None, False),
}
INSTANTS: Final = {
    "with Z": ("2026-01-31T08:30:00Z", True),
    "with an offset and a fraction": ("2026-01-31T08:30:00.125+01:00", True),
    "null": (None, True),
    "naive": ("2026-01-31T08:30:00", False),
    "in lower case": ("2026-01-31t08:30:00z", False),
    "with a space": ("2026-01-31 08:30:00Z", False),
    "a number": (1769848200, False),
}
IDS: Final = {
    "a UUIDv7": (VERSION, True),
    "in upper case": (VERSION.upper(), False),
    "a UUIDv4": ("0b6ac1a4-1c52-4b7e-9d5a-6f0e1b7c2d10", False),
    "with another variant": ("019aa526-8c31-7d04-ca52-6f0e1b7c2d10", False),
    "without dashes": (VERSION.replace("-", ""), False),
    "left out": (MISSING, False),
}
NAMESPACES: Final = {
    "left out": (MISSING, True),
    "16 parts": ("/".join("a" * 16), True),
    "17 parts": ("/".join("a" * 17), False),
    "an empty part": ("a//b", False),
    "a slash in front": ("/a", False),
    "a slash behind": ("a/", False),
    "too long": ("n" * 256, False),
    "null": (None, False),
}
STORE_FIELDS: Final[dict[str, dict[str, tuple[Any, bool]]]] = {
    "type": {"left out": (MISSING, False), "unknown": ("put", False)},
    "id": IDS,
    "user_id": {**IDENTIFIERS, "left out": (MISSING, False)},
    "namespace": NAMESPACES,
    "key": {**IDENTIFIERS, "left out": (MISSING, False)},
    "value": {"null": (None, True), "an object": ({"a": [1.5, None]}, True), "left out": (MISSING, False)},
    "tags": {
        "none": ([], True),
        "100": ([f"t{n}" for n in range(100)], True),
        "101": ([f"t{n}" for n in range(101)], False),
        "one twice": (["a", "a"], True),
        "an empty one": ([""], False),
        "null": (None, False),
        "text": ("taste", False),
    },
    "importance": {
        "1": (1, True),
        "10": (10, True),
        "0": (0, False),
        "11": (11, False),
        "true": (True, False),
    },
    "session_id": {**IDENTIFIERS, "null": (None, True)},
    "project_id": {**IDENTIFIERS, "null": (None, True)},
    "metadata": {"an object": ({"a": 1}, True), "null": (None, False), "a list": ([], False)},
    "created_at": INSTANTS,
    "expires_at": INSTANTS,
    "no_such_field": {"given": (1, False)},
}
DELETES: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "of an address": ({"scope": "address", "key": "k"}, True),
    "of an address, without its key": ({"scope": "address"}, False),
    "of a namespace": ({"scope": "namespace", "namespace": "a"}, True),
    "of a namespace, without it": ({"scope": "namespace"}, False),
    "of a namespace, with a key": ({"scope": "namespace", "namespace": "a", "key": "k"}, False),
    "of a user": ({"scope": "user"}, True),
    "of a user, with a namespace": ({"scope": "user", "namespace": "a"}, False),
    "without a scope": ({"key": "k"}, False),
    "of an unknown scope": ({"scope": "all"}, False),
}
QUESTIONS: Final[dict[str, tuple[dict[str, Any], bool]]] = {
    "get": (GET, True),
    "get, with its last write": ({**GET, "min_version": VERSION}, True),
    "get, without a key": ({"type": "get", "user_id": "u"}, False),
    "get, with null for the namespace": ({**GET, "namespace": None}, False),
    "list": ({**LIST, "namespace": None, "order": "oldest", "limit": 500, "cursor": None}, True),
    "list, behind a cursor": (
        {**LIST, "cursor": {"version": VERSION, "namespace": "default", "key": "k"}}, True
    ),
    "list, of too many": ({**LIST, "limit": 501}, False),
    "list, of none": ({**LIST, "limit": 0}, False),
    "list, in an unknown order": ({**LIST, "order": "best"}, False),
    "list, with null for the filters": ({**LIST, "filters": None}, False),
    "search": ({**SEARCH, "text": "what?" * 400}, True),
    "search, of too long a text": ({**SEARCH, "text": "x" * 2001}, False),
    "search, with NUL": ({**SEARCH, "text": "a\x00b"}, False),
    "stats of all": ({"type": "stats"}, True),
    "without a type": ({"user_id": "u", "key": "k"}, False),
    "of an unknown type": ({"type": "sum", "user_id": "u"}, False),
}  # fmt: skip
FILTERS: Final[dict[str, tuple[Any, bool]]] = {
    "none": ({}, True),
    "every one": (
        {
            "tags_any": ["a"], "tags_all": ["b"], "importance_min": 1, "importance_max": 10,
            "session_id": "s", "project_id": "p", "created_from": "2026-01-31T08:30:00Z",
            "created_before": None, "updated_from": None, "updated_before": "2026-01-31T08:30:00Z",
            "metadata": {"source": "chat"}, "key_pattern": "note-*",
        },
        True,
    ),
    "importance of 11": ({"importance_max": 11}, False),
    "a naive instant": ({"created_from": "2026-01-31T08:30:00"}, False),
    "an unknown one": ({"no_such_filter": 1}, False),
}  # fmt: skip
ENVELOPES: Final[dict[str, tuple[Any, bool]]] = {
    "one command": ({"schema": 1, "commands": [STORE]}, True),
    "500 commands": ({"schema": 1, "commands": [STORE] * 500}, True),
    "501 commands": ({"schema": 1, "commands": [STORE] * 501}, False),
    "no command": ({"schema": 1, "commands": []}, False),
    "no schema": ({"commands": [STORE]}, False),
    "an unknown schema": ({"schema": 2, "commands": [STORE]}, False),
    "true for the schema": ({"schema": True, "commands": [STORE]}, False),
    "an unknown field": ({"schema": 1, "commands": [STORE], "as_of": None}, False),
    "no list": ({"schema": 1, "commands": STORE}, False),
    "a list": ([STORE], False),
}
QUERY_ENVELOPES: Final[dict[str, tuple[Any, bool]]] = {
    "100 questions": ({"schema": 1, "questions": [GET] * 100}, True),
    "101 questions": ({"schema": 1, "questions": [GET] * 101}, False),
    "no question": ({"schema": 1, "questions": []}, False),
    "an unknown schema": ({"schema": 2, "questions": [GET]}, False),
    "the longest deadline": ({"schema": 1, "questions": [GET], "deadline_ms": 60_000}, True),
    "too long a deadline": ({"schema": 1, "questions": [GET], "deadline_ms": 60_001}, False),
    "no deadline": ({"schema": 1, "questions": [GET], "deadline_ms": 0}, False),
    "consistency all": ({"schema": 1, "questions": [GET], "consistency": "all"}, True),
    "an unknown consistency": ({"schema": 1, "questions": [GET], "consistency": "some"}, False),
    "an unknown field": ({"schema": 1, "questions": [GET], "as_of": None}, False),
}


def _cases(table: dict[str, tuple[Any, bool]]) -> list[Any]:
    return [pytest.param(value, good, id=name) for name, (value, good) in table.items()]


def _store_cases() -> list[Any]:
    found = []
    for field, values in STORE_FIELDS.items():
        for name, (value, good) in values.items():
            without = {key: item for key, item in STORE.items() if key != field}
            command = without if value is MISSING else {**STORE, field: value}
            found.append(pytest.param(command, good, id=f"{field}: {name}"))
    return found


def _takes(read: Callable[[bytes], object], tree: Any) -> bool:
    try:
        read(json.dumps(tree).encode())
    except InvalidInput:
        return False
    return True


def _reads_commands(body: bytes) -> None:
    for bad in decode_message(body).bad:
        raise bad.error


def _check(tree: Any, schema: str, read: Callable[[bytes], object], *, good: bool) -> None:
    assert _takes(read, tree) is good, "the code"
    assert is_valid(tree, _SCHEMAS[schema]) is good, "the schema"


@pytest.mark.parametrize(("command", "good"), _store_cases())
def test_a_store_is_valid_for_both_or_for_neither(command: Any, good: bool) -> None:
    """Field by field, with its bounds."""
    _check({"schema": 1, "commands": [command]}, "command-envelope", _reads_commands, good=good)


@pytest.mark.parametrize(("fields", "good"), _cases(DELETES))
def test_a_delete_is_valid_for_both_or_for_neither(fields: dict[str, Any], good: bool) -> None:
    """A scope has just its own fields."""
    _check({"schema": 1, "commands": [{**DELETE, **fields}]}, "command-envelope", _reads_commands, good=good)


@pytest.mark.parametrize(("envelope", "good"), _cases(ENVELOPES))
def test_an_envelope_is_valid_for_both_or_for_neither(envelope: Any, good: bool) -> None:
    """1 to 500 commands, and nothing else."""
    _check(envelope, "command-envelope", _reads_commands, good=good)


@pytest.mark.parametrize(("question", "good"), _cases(QUESTIONS))
def test_a_question_is_valid_for_both_or_for_neither(question: Any, good: bool) -> None:
    """Also between the aggregator and the responders."""
    _check({"schema": 1, "questions": [question]}, "query-envelope", read_query, good=good)
    inner = {"schema": 1, "questions": [question], "as_of": "2026-01-31T08:30:00Z"}
    assert is_valid(inner, _SCHEMAS["sink-query"]) is good


@pytest.mark.parametrize(("filters", "good"), _cases(FILTERS))
def test_filters_are_valid_for_both_or_for_neither(filters: Any, good: bool) -> None:
    """A name that is not known is an error, and no filter that means nothing."""
    _check(
        {"schema": 1, "questions": [{**LIST, "filters": filters}]}, "query-envelope", read_query, good=good
    )


@pytest.mark.parametrize(("envelope", "good"), _cases(QUERY_ENVELOPES))
def test_a_query_envelope_is_valid_for_both_or_for_neither(envelope: Any, good: bool) -> None:
    """1 to 100 questions, a deadline of at most a minute."""
    _check(envelope, "query-envelope", read_query, good=good)


@pytest.mark.parametrize("block", _EXAMPLES, ids=lambda block: str(block.note))
def test_every_example_of_the_wire_page_is_what_it_says(block: Block) -> None:
    """By the published schema, and by the code that reads it."""
    name = block.note.removeprefix("example: ")
    body, tree = block.text.encode(), json.loads(block.text)
    assert is_valid(tree, _SCHEMAS[name])
    if name == "command-envelope":
        _reads_commands(body)
    elif name == "query-envelope":
        read_query(body)
    elif name == "reply":
        decode_reply(body)
    else:
        SCHEMAS[name].model_validate_json(body)


def test_the_wire_page_shows_every_message_that_a_bot_sees() -> None:
    """So that a bot's author need not read the code."""
    shown = {block.note.removeprefix("example: ") for block in _EXAMPLES}
    assert shown == {"command-envelope", "query-envelope", "reply", "receipt"}


def test_the_schemas_carry_the_limits_of_the_code() -> None:
    """Each bound is written down once, in `limits.py`."""
    commands = _SCHEMAS["command-envelope"]
    store = commands["$defs"]["StoreCommand"]["properties"]
    questions = _SCHEMAS["query-envelope"]
    assert commands["properties"]["commands"]["maxItems"] == limits.MAX_COMMANDS
    assert questions["properties"]["questions"]["maxItems"] == limits.MAX_QUESTIONS
    assert store["key"]["maxLength"] == limits.MAX_IDENTIFIER
    assert store["tags"]["maxItems"] == limits.MAX_TAGS
    assert (store["importance"]["minimum"], store["importance"]["maximum"]) == (1, limits.MAX_IMPORTANCE)
    assert store["namespace"]["default"] == limits.DEFAULT_NAMESPACE
    search = questions["$defs"]["SearchQuestion"]["properties"]
    assert search["limit"]["maximum"] == limits.MAX_PAGE
    assert search["text"]["maxLength"] == limits.MAX_QUERY_CHARACTERS
    assert commands["properties"]["schema"]["const"] == limits.SCHEMA


def test_a_sink_reply_is_what_its_schema_says() -> None:
    """What a responder answers, with every kind of answer in it."""
    digest = {"count": 1, "sum": 5}
    stats = dict.fromkeys(("live", "deleted", "expired", "refused", "marks", "changes"), 0)
    answers = [
        {"type": "get", "state": "unknown"},
        {"type": "page", "hits": [], "more": False, "digest": digest},
        {"type": "stats", **stats, "digest": digest, "incarnation": "i", "durable": True, "bytes": None},
    ]
    reply = {"schema": 1, "sink": "sqlite", "status": "ok", "reason": None, "answers": answers}
    decode_sink_reply(json.dumps(reply).encode())
    assert is_valid(reply, _SCHEMAS["sink-reply"])
    assert not is_valid({**reply, "answers": [{"type": "page"}]}, _SCHEMAS["sink-reply"])
