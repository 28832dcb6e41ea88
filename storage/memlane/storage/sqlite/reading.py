"""Answers from the database: fetch, list, search."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import aiosqlite

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry, entry_from_row
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import DigestModel, Fetched, Hit, Page
from memlane.storage.rows import Kind
from memlane.storage.sqlite.conditions import behind, visible
from memlane.storage.sqlite.schema import IN_SCOPE
from memlane.storage.sqlite.tables import user_digest
from memlane.storage.sqlite.terms import BODY_WEIGHT, LABEL_WEIGHT, match_expression

CONTENT: Final = (
    "r.user_id, r.namespace, r.key, r.version, r.value, r.metadata, r.tags, r.importance, r.session_id, "
    "r.project_id, r.created_us, r.expires_us"
)
"""The columns that make an entry, of the table `rows AS r`."""

_FETCH: Final = f"""
SELECT {CONTENT}, r.kind,
  (SELECT max(m.version) FROM marks AS m
   WHERE m.user_id = a.value ->> 0 AND {IN_SCOPE.format(mark="m", namespace="(a.value ->> 1)")})
FROM json_each(?) AS a
LEFT JOIN rows AS r ON r.user_id = a.value ->> 0 AND r.namespace = a.value ->> 1 AND r.key = a.value ->> 2
ORDER BY a.key
"""
# Without the rows: of many matches only the best are read.
_RANK: Final = f"""
SELECT rowid, bm25(terms, {LABEL_WEIGHT}, {BODY_WEIGHT}) AS score FROM terms
WHERE terms MATCH ? ORDER BY score
"""

Match = tuple[int, float]
"""A row's id, and its score: the lower the better."""

_UNKNOWN: Final = Fetched(state="unknown")
_LIVE_COLUMNS: Final = 12


async def fetch(
    connection: aiosqlite.Connection, addresses: Sequence[Address], as_of_us: int
) -> list[Fetched]:
    """What is at these addresses, in their order, in one statement and so in one snapshot."""
    rows = await connection.execute_fetchall(_FETCH, (json.dumps(addresses, ensure_ascii=False),))
    return [_fetched(row, as_of_us) for row in rows]


async def find(
    connection: aiosqlite.Connection, question: ListQuestion | SearchQuestion, as_of_us: int
) -> Page:
    """A page and the user's digest, inside the caller's transaction."""
    if isinstance(question, SearchQuestion) and question.text.strip():
        rows = await _search(connection, question, as_of_us)
    else:
        rows = await _list(connection, question, as_of_us)
    digest = await user_digest(connection, question.user_id)
    kept = rows[: question.limit]
    hits = [Hit(entry=entry_of(row), score=-row[_LIVE_COLUMNS]) for row in kept]
    return Page(
        hits=hits,
        more=len(rows) > len(kept),
        digest=DigestModel(count=digest.count, sum=digest.sum),
    )


async def _list(
    connection: aiosqlite.Connection, question: ListQuestion | SearchQuestion, as_of_us: int
) -> list[sqlite3.Row]:
    conditions = visible(question, as_of_us)
    falling = isinstance(question, SearchQuestion) or question.order == "newest"
    if isinstance(question, ListQuestion) and question.cursor is not None:
        behind(conditions, question.cursor, "<" if falling else ">")
    way = "DESC" if falling else "ASC"
    sql = f"""
    SELECT {CONTENT}, 0.0 FROM rows AS r WHERE {conditions.text}
    ORDER BY r.version {way}, r.namespace {way}, r.key {way} LIMIT ?
    """
    return list(await connection.execute_fetchall(sql, (*conditions.values, question.limit + 1)))


async def _search(
    connection: aiosqlite.Connection, question: SearchQuestion, as_of_us: int
) -> list[sqlite3.Row]:
    expression = match_expression(question.user_id, question.text)
    if expression is None:
        return []
    ranked = _by_score(await connection.execute_fetchall(_RANK, (expression,)))
    conditions = visible(question, as_of_us)
    sql = f"""
    SELECT {CONTENT}, s.value ->> 1 AS score
    FROM json_each(?) AS s CROSS JOIN rows AS r ON r.id = s.value ->> 0
    WHERE {conditions.text} ORDER BY score, r.version DESC
    """
    found: list[sqlite3.Row] = []
    for some in _portions(ranked, question.limit + 1):
        found += await connection.execute_fetchall(sql, (json.dumps(some), *conditions.values))
        if len(found) > question.limit:
            break
    return found[: question.limit + 1]


def _by_score(matches: Iterable[sqlite3.Row]) -> Iterator[list[Match]]:
    """Matches of equal score together, best first, as they come."""
    for _, of in groupby(matches, key=itemgetter(1)):
        yield [(row[0], row[1]) for row in of]


def _portions(ranked: Iterable[list[Match]], size: int) -> Iterator[list[Match]]:
    """At least so many matches, then twice as many and so on; those of one score together.

    Mostly the first portion is enough: what a question means, and can be seen, is most of what matches.
    """
    portion: list[Match] = []
    for of in ranked:
        portion += of
        if len(portion) >= size:
            yield portion
            portion, size = [], 2 * size
    if portion:
        yield portion


def _fetched(row: sqlite3.Row, as_of_us: int) -> Fetched:
    version, expires_us, kind, mark = row[3], row[11], row[12], row[13]
    if mark is not None and (version is None or version <= mark):
        return Fetched(state="gone", version=mark)
    if version is None:
        return _UNKNOWN
    if kind == Kind.REFUSED:
        return Fetched(state="unknown", version=version)
    if kind != Kind.LIVE or (expires_us is not None and expires_us <= as_of_us):
        return Fetched(state="gone", version=version)
    return Fetched(state="entry", version=version, entry=entry_of(row))


# Any: SQLite's columns, whose types are the schema's.
def entry_of(row: Sequence[Any]) -> Entry:
    """The entry of a row of `CONTENT`."""
    return entry_from_row(
        Address(row[0], row[1], row[2]),
        version=row[3],
        value_json=row[4],
        metadata_json=row[5],
        tags=tuple(json.loads(row[6])) if row[6] != "[]" else (),
        importance=row[7],
        session_id=row[8],
        project_id=row[9],
        created_us=row[10],
        expires_us=row[11],
    )
