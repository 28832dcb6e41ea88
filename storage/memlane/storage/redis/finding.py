"""Answers about a user: list and search.

Each script call looks at a bounded number of rows, in one snapshot with the user's digest; filters are
applied here, by the one rule. A page is put together from several calls only as long as the digest stays
the same, which means that nothing has changed in between.
"""

import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from memlane.contracts.entry import Entry
from memlane.contracts.instants import to_microseconds
from memlane.contracts.query import NO_FILTERS, Cursor, Filters, ListQuestion, SearchQuestion
from memlane.contracts.reply import DigestModel, Hit, Page
from memlane.contracts.version import make_version
from memlane.storage.analysis import query_terms
from memlane.storage.filters import matches
from memlane.storage.redis.client import Client, Reply
from memlane.storage.redis.rows import SEP, decode_entry, user_hash
from memlane.storage.redis.scripts import LIST, SEARCH
from memlane.storage.redis.terms import entry_terms

Question = ListQuestion | SearchQuestion

_STEP_MEMBERS: Final = 2000
_FIRST_ROWS: Final = 100
_STEP_ROWS: Final = 1000
"""Where filters decide how many of them are hits."""

_STEP_BYTES: Final = 4 * 1024 * 1024
_SEARCHED_MEMBERS: Final = 10_000
"""Of all terms together, that a search ranks: some ten milliseconds of Redis' time."""
_RESTARTS: Final = 3


class _Step(NamedTuple):
    digest: DigestModel
    position: str
    hits: list[Hit]
    left_out: bool


_Ask = Callable[[str, int], Coroutine[Any, Any, _Step]]
"""The step from a position (empty: the start) with so many rows at most. Any: what is sent into it."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    """Which rows of a step are hits.

    Attributes:
        question: its namespace and filters.
        words: where given, any of them must be in the row.
    """

    question: Question
    words: frozenset[str] = frozenset()

    @property
    def narrow(self) -> bool:
        """Whether few rows may be hits."""
        return self.question.filters != NO_FILTERS or bool(self.words)

    def of(self, step: _Step) -> list[Hit]:
        return [hit for hit in step.hits if self._holds(hit.entry)]

    def _holds(self, entry: Entry) -> bool:
        asked = self.question
        return matches(entry, asked.namespace, asked.filters) and (
            not self.words or not self.words.isdisjoint(entry_terms(entry))
        )


async def find(client: Client, question: Question, as_of: str) -> Page:
    """A page and the user's digest, in one snapshot."""
    if not isinstance(question, SearchQuestion) or not question.text.strip():
        page, _ = await _page(_Meaning(question), _listing(client, question, as_of))
        return page
    words = query_terms(question.text)
    ask = _searching(client, question, as_of, words)
    page, left_out = await _page(_Meaning(question), ask, restarts=_RESTARTS)
    if left_out and not page.hits:
        # What is meant is among the older of very many rows: found one by one, newest first.
        meaning = _Meaning(question, frozenset(words))
        page, _ = await _page(meaning, _listing(client, question, as_of))
    return page


async def _page(meaning: _Meaning, ask: _Ask, *, restarts: int = 0) -> tuple[Page, bool]:
    """A page, and whether matches may have been left out.

    Args:
        meaning: which rows are hits.
        ask: reads a step.
        restarts: how often to begin again when something changes before there is a hit. Needed where what
            changes can move in front of a position, as ranks do.
    """
    limit = meaning.question.limit
    wanted = limit + 1
    step = await ask("", _FIRST_ROWS if meaning.narrow else wanted)
    digest, hits = step.digest, meaning.of(step)
    while len(hits) < wanted and step.position:
        step = await ask(step.position, _STEP_ROWS if meaning.narrow else wanted - len(hits))
        if step.digest != digest and hits:  # what was read before is a page by itself
            return Page(hits=hits, more=True, digest=digest), step.left_out
        if step.digest != digest and restarts:
            restarts -= 1
            step = await ask("", _STEP_ROWS)
        digest = step.digest
        hits += meaning.of(step)
    more = len(hits) >= wanted or (step.left_out and bool(hits))
    return Page(hits=hits[:limit], more=more, digest=digest), step.left_out


def _listing(client: Client, question: Question, as_of: str) -> _Ask:
    order = question.order if isinstance(question, ListQuestion) else "newest"
    low, high = _bounds(question, order)
    user_id = question.user_id
    within = question.namespace or ""
    narrowed = question.namespace is not None or question.filters != NO_FILTERS

    async def ask(position: str, rows: int) -> _Step:
        bounds = (low, high)
        if position:
            bounds = (low, f"({position}") if order == "newest" else (f"({position}", high)
        looked_at = _STEP_MEMBERS if narrowed or position else rows
        arguments = (user_hash(user_id), user_id, order, *bounds, within, as_of, looked_at, rows, _STEP_BYTES)
        return _step(await client.run(LIST, *arguments))

    return ask


def _searching(client: Client, question: SearchQuestion, as_of: str, words: list[str]) -> _Ask:
    user_id = question.user_id
    terms = json.dumps(words, ensure_ascii=False)
    within = question.namespace or ""

    async def ask(position: str, rows: int) -> _Step:
        arguments = (user_hash(user_id), user_id, terms, within, as_of)
        found = await client.run(SEARCH, *arguments, position or "0", _SEARCHED_MEMBERS, rows, _STEP_BYTES)
        return _step(found)

    return ask


def _step(reply: Reply) -> _Step:
    (count, total), position, left_out, lines = reply
    scored = (line.split(SEP, 1) for line in lines)
    hits = [Hit(entry=decode_entry(row), score=float(score)) for score, row in scored]
    return _Step(DigestModel(count=int(count), sum=int(total)), position, hits, bool(left_out))


def _bounds(question: Question, order: str) -> tuple[str, str]:
    """The lowest and the highest member of the index by version that may be meant, both excluded."""
    lows, highs = _updated_bounds(question.filters)
    cursor = question.cursor if isinstance(question, ListQuestion) else None
    if cursor is not None and order == "newest":
        highs.append(_member_start(cursor))
    elif cursor is not None:
        lows.append(f"{_member_start(cursor)} ")  # a space follows the separator
    return f"({max(lows)}" if lows else "-", f"({min(highs)}" if highs else "+"


def _member_start(cursor: Cursor) -> str:
    return SEP.join((cursor.version, cursor.namespace, cursor.key))


def _updated_bounds(filters: Filters) -> tuple[list[str], list[str]]:
    low, high = filters.updated_from, filters.updated_before
    lows = [] if low is None else [_first_version(to_microseconds(low))]
    highs = [] if high is None else [_first_version(to_microseconds(high))]
    return lows, highs


def _first_version(microseconds: int) -> str:
    """The lowest version of that instant: versions tell whole milliseconds, rounded up here."""
    return make_version(max(0, -(-microseconds // 1000)), 0)
