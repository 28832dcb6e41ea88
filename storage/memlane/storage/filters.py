"""Which entries a question's filters mean, for sinks that filter in Python; the rule for all others."""

import json
import re
from functools import lru_cache

from memlane.contracts.entry import Entry
from memlane.contracts.fields import EMPTY_OBJECT
from memlane.contracts.identifiers import is_within
from memlane.contracts.query import Filters


def matches(entry: Entry, namespace: str | None, filters: Filters) -> bool:
    """Whether an entry is in the namespace (or below it) and has everything that the filters ask for."""
    if namespace is not None and not is_within(entry.namespace, namespace):
        return False
    return (
        _matches_labels(entry, filters)
        and _matches_instants(entry, filters)
        and metadata_matches(entry.metadata_json, filters.metadata_json)
    )


def _matches_labels(entry: Entry, filters: Filters) -> bool:
    tags = set(entry.tags)
    return (
        (not filters.tags_any or bool(tags.intersection(filters.tags_any)))
        and tags.issuperset(filters.tags_all)
        and (filters.importance_min is None or entry.importance >= filters.importance_min)
        and (filters.importance_max is None or entry.importance <= filters.importance_max)
        and (filters.session_id is None or entry.session_id == filters.session_id)
        and (filters.project_id is None or entry.project_id == filters.project_id)
        and (filters.key_pattern is None or bool(_key_regex(filters.key_pattern).fullmatch(entry.key)))
    )


def _matches_instants(entry: Entry, filters: Filters) -> bool:
    updated = entry.updated_at
    return (
        (filters.created_from is None or entry.created_at >= filters.created_from)
        and (filters.created_before is None or entry.created_at < filters.created_before)
        and (filters.updated_from is None or updated >= filters.updated_from)
        and (filters.updated_before is None or updated < filters.updated_before)
    )


def metadata_matches(metadata_json: str, wanted_json: str) -> bool:
    """Whether every field of the wanted object is in the metadata with an equal value."""
    if wanted_json == EMPTY_OBJECT:
        return True
    present = json.loads(metadata_json)
    wanted = json.loads(wanted_json)
    return all(key in present and _same(present[key], value) for key, value in wanted.items())


def _same(left: object, right: object) -> bool:
    # In Python True == 1; in JSON they are different values.
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


@lru_cache(maxsize=256)
def _key_regex(pattern: str) -> re.Pattern[str]:
    """What is between two stars is found where it first stands, and never looked for again.

    Without that (the atomic groups), some dozen stars would take longer than anybody can wait.
    """
    first, *others = (_literal(part) for part in pattern.split("*"))
    if not others:
        return re.compile(first, re.DOTALL)
    *middle, last = others
    found = "".join(f"(?>.*?{part})" for part in middle if part)
    return re.compile(f"{first}{found}.*{last}", re.DOTALL)


def _literal(part: str) -> str:
    return "".join("." if char == "?" else re.escape(char) for char in part)
