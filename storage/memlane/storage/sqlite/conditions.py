"""A question's namespace, filters and cursor as SQL conditions on `rows AS r`."""

import json
from dataclasses import dataclass, field
from typing import Final

from memlane.contracts.fields import EMPTY_OBJECT
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import Cursor, Filters, ListQuestion, SearchQuestion
from memlane.contracts.version import make_version
from memlane.storage.sqlite.schema import IN_SCOPE

Value = str | int

NOT_COVERED: Final = f"""NOT EXISTS (
  SELECT 1 FROM marks AS m
  WHERE m.user_id = r.user_id AND m.purging = 1 AND m.version >= r.version
  AND {IN_SCOPE.format(mark="m", namespace="r.namespace")}
)"""
"""Of a row that no mark covers; only marks whose rows are not all purged need to be looked at."""


@dataclass(slots=True)
class Conditions:
    """Conditions that must all hold, with their values in order."""

    sql: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def add(self, sql: str, *values: Value) -> None:
        """One more condition, a `?` for each value."""
        self.sql.append(sql)
        self.values += values

    @property
    def text(self) -> str:
        """For behind WHERE."""
        return " AND ".join(self.sql)


def visible(question: ListQuestion | SearchQuestion, as_of_us: int) -> Conditions:
    """Of the user's live, uncovered rows that the question's namespace and filters mean."""
    conditions = Conditions()
    conditions.add("r.user_id = ?", question.user_id)
    conditions.add("r.kind = 1")
    conditions.add("(r.expires_us IS NULL OR r.expires_us > ?)", as_of_us)
    conditions.add(NOT_COVERED)
    if question.namespace is not None:
        within = (question.namespace, *namespace_range(question.namespace))
        conditions.add("(r.namespace = ? OR r.namespace >= ? AND r.namespace < ?)", *within)
    _add_labels(conditions, question.filters)
    _add_instants(conditions, question.filters)
    return conditions


def behind(conditions: Conditions, cursor: Cursor, operator: str) -> None:
    """Only what is strictly behind the cursor; the operator is `<` or `>`."""
    conditions.add(
        f"(r.version, r.namespace, r.key) {operator} (?, ?, ?)", cursor.version, cursor.namespace, cursor.key
    )


def namespace_range(namespace: str) -> tuple[str, str]:
    """The binary range of everything strictly below a namespace: `0` follows `/`."""
    return namespace + "/", namespace + "0"


def _add_labels(conditions: Conditions, filters: Filters) -> None:
    matching = "(SELECT count(*) FROM json_each(r.tags) WHERE value IN (SELECT value FROM json_each(?)))"
    if filters.tags_any:
        conditions.add(f"{matching} > 0", json.dumps(filters.tags_any))
    if filters.tags_all:
        conditions.add(f"{matching} = ?", json.dumps(filters.tags_all), len(filters.tags_all))
    if filters.importance_min is not None:
        conditions.add("r.importance >= ?", filters.importance_min)
    if filters.importance_max is not None:
        conditions.add("r.importance <= ?", filters.importance_max)
    if filters.session_id is not None:
        conditions.add("r.session_id = ?", filters.session_id)
    if filters.project_id is not None:
        conditions.add("r.project_id = ?", filters.project_id)
    if filters.metadata_json != EMPTY_OBJECT:
        conditions.add("has_metadata(r.metadata, ?)", filters.metadata_json)
    if filters.key_pattern is not None:
        conditions.add("r.key GLOB ?", filters.key_pattern.replace("[", "[[]"))


def _add_instants(conditions: Conditions, filters: Filters) -> None:
    if filters.created_from is not None:
        conditions.add("r.created_us >= ?", to_microseconds(filters.created_from))
    if filters.created_before is not None:
        conditions.add("r.created_us < ?", to_microseconds(filters.created_before))
    if filters.updated_from is not None:
        conditions.add("r.version >= ?", _first_version(to_microseconds(filters.updated_from)))
    if filters.updated_before is not None:
        conditions.add("r.version < ?", _first_version(to_microseconds(filters.updated_before)))


def _first_version(microseconds: int) -> str:
    """The lowest version of that instant: versions tell whole milliseconds, rounded up here."""
    return make_version(max(0, -(-microseconds // 1000)), 0)
