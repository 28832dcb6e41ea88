"""Answers from memory: fetch, list, search, stats."""

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry, entry_from_row
from memlane.contracts.merge import sort_key
from memlane.contracts.query import Cursor, ListQuestion, SearchQuestion
from memlane.contracts.reply import DigestModel, Fetched, Hit, Page, SinkStats
from memlane.storage.analysis import query_terms
from memlane.storage.decide import covering
from memlane.storage.digesting import UserDelta
from memlane.storage.filters import matches
from memlane.storage.memory.ranking import scores
from memlane.storage.memory.state import MemoryState
from memlane.storage.rows import Kind


def fetch_one(state: MemoryState, address: Address, as_of_us: int) -> Fetched:
    """What is at an address."""
    row = state.row(address)
    mark = covering(state.marks_of(address.user_id), address.namespace)
    if mark is not None and (row is None or row.head.version <= mark.version):
        return Fetched(state="gone", version=mark.version)
    if row is None:
        return Fetched(state="unknown")
    version = row.head.version
    if row.head.kind is Kind.REFUSED:
        return Fetched(state="unknown", version=version)
    if row.command is None or not row.is_live(as_of_us):
        return Fetched(state="gone", version=version)
    return Fetched(state="entry", version=version, entry=_entry(row.command))


def find(state: MemoryState, question: ListQuestion | SearchQuestion, as_of_us: int) -> Page:
    """A page, and the user's digest."""
    if isinstance(question, SearchQuestion) and question.text.strip():
        hits = _search(state, question, as_of_us)
    else:
        hits = _list(state, question, as_of_us)
    digest = stats(state, question.user_id, durable=False).digest
    return Page(hits=hits[: question.limit], more=len(hits) > question.limit, digest=digest)


def stats(state: MemoryState, user_id: str | None, *, durable: bool) -> SinkStats:
    """What is held of a user, or in all."""
    users = state.tally.users
    found = list(users.values()) if user_id is None else [users.get(user_id) or UserDelta()]
    return SinkStats(
        live=sum(user.kinds[Kind.LIVE] for user in found),
        deleted=sum(user.kinds[Kind.DELETED] for user in found),
        expired=sum(user.kinds[Kind.EXPIRED] for user in found),
        refused=sum(user.kinds[Kind.REFUSED] for user in found),
        marks=sum(user.marks for user in found),
        digest=DigestModel(count=sum(user.count for user in found), sum=sum(user.sum for user in found)),
        incarnation=state.incarnation,
        changes=state.changes,
        durable=durable,
    )


def _list(state: MemoryState, question: ListQuestion | SearchQuestion, as_of_us: int) -> list[Hit]:
    falling = isinstance(question, SearchQuestion) or question.order == "newest"
    entries = [_entry(command) for _, _, command in state.visible(question.user_id, as_of_us)]
    meant = [entry for entry in entries if matches(entry, question.namespace, question.filters)]
    cursor = question.cursor if isinstance(question, ListQuestion) else None
    behind = [entry for entry in meant if cursor is None or _is_behind(entry, cursor, falling=falling)]
    return [Hit(entry=entry) for entry in sorted(behind, key=sort_key, reverse=falling)]


def _is_behind(entry: Entry, cursor: Cursor, *, falling: bool) -> bool:
    end = (cursor.version, cursor.namespace, cursor.key)
    return sort_key(entry) < end if falling else sort_key(entry) > end


def _search(state: MemoryState, question: SearchQuestion, as_of_us: int) -> list[Hit]:
    found = list(state.visible(question.user_id, as_of_us))
    by_score = scores(query_terms(question.text), [row.document for _, row, _ in found])
    hits = [
        Hit(entry=entry, score=score)
        for (_, _, command), score in zip(found, by_score, strict=True)
        if score > 0 and matches(entry := _entry(command), question.namespace, question.filters)
    ]
    return sorted(hits, key=lambda hit: (hit.score, sort_key(hit.entry)), reverse=True)


def _entry(command: StoreCommand) -> Entry:
    return entry_from_row(
        command.address,
        version=command.id,
        value_json=command.value_json,
        metadata_json=command.metadata_json,
        tags=command.tags,
        importance=command.importance,
        session_id=command.session_id,
        project_id=command.project_id,
        created_us=command.created_us,
        expires_us=command.expires_us,
    )
