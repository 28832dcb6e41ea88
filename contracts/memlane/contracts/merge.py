"""Merging the sinks' answers: newest wins, ranks are fused. Pure functions."""

from collections.abc import Iterable, Mapping, Sequence
from math import fsum
from typing import Final, Literal, NamedTuple

from memlane.contracts.address import Address
from memlane.contracts.entry import Entry
from memlane.contracts.fingerprint import entry_hash
from memlane.contracts.query import Cursor
from memlane.contracts.reply import Fetched, Hit, Page

RANK_CONSTANT: Final = 60
"""k of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009): 1 / (k + rank)."""

UNKNOWN: Final = Fetched(state="unknown")

SortKey = tuple[str, str, str]
"""Version, namespace, key."""


class MergedPage(NamedTuple):
    """A page of the whole, and the sort key behind which the next one begins (None: no more)."""

    hits: list[Hit]
    cursor: Cursor | None


def newest(answers: Iterable[Fetched]) -> Fetched:
    """The newest of several sinks' answers about one address.

    A sink that knows of a newer version that it can't serve makes the whole *unknown* at that version:
    an entry older than that would be stale.
    """
    best = UNKNOWN
    for answer in answers:
        if _goes_before(answer, best):
            best = answer
    return best


def _goes_before(answer: Fetched, best: Fetched) -> bool:
    left, right = _precedence(answer), _precedence(best)
    if left == right and answer.entry is not None and best.entry is not None:
        return _is_newer(answer.entry, best.entry)
    return left > right


def _precedence(answer: Fetched) -> tuple[str, int]:
    # Of equal versions: who can serve it goes before who can't, who knows that it is gone before both.
    return (answer.version or "", {"unknown": 0, "entry": 1, "gone": 2}[answer.state])


def _is_newer(entry: Entry, present: Entry) -> bool:
    """Whether an entry takes the place of another one at its address: by version, then by hash."""
    if entry.version != present.version or entry == present:
        return entry.version > present.version
    return entry_hash(entry) > entry_hash(present)


def merge_ranked(pages: Mapping[str, Page], limit: int) -> MergedPage:
    """One ranking from several: by address the newest version, its ranks in the sinks fused."""
    entries = _newest_entries(pages.values())
    parts: dict[Address, list[float]] = {address: [] for address in entries}
    for page in pages.values():
        for rank, hit in enumerate(page.hits, start=1):
            if entries[hit.entry.address].version == hit.entry.version:
                parts[hit.entry.address].append(1 / (RANK_CONSTANT + rank))
    # fsum: exact, so that the order of the sinks never decides a tie.
    scores = {address: fsum(of) for address, of in parts.items()}
    ranked = sorted(entries.values(), key=sort_key, reverse=True)
    ranked.sort(key=lambda entry: scores[entry.address], reverse=True)
    hits = [Hit(entry=entry, score=round(scores[entry.address], 6)) for entry in ranked[:limit]]
    return MergedPage(hits, None)


def merge_listed(
    pages: Mapping[str, Page], limit: int, order: Literal["newest", "oldest"] = "newest"
) -> MergedPage:
    """One list from several, by time.

    Beyond the last hit of a sink that has more, what that sink holds is not known, so the page ends
    there. The cursor goes on from it.
    """
    falling = order == "newest"
    ordered = sorted(_newest_entries(pages.values()).values(), key=sort_key, reverse=falling)
    ends = [sort_key(page.hits[-1].entry) for page in pages.values() if page.more and page.hits]
    horizon = (max(ends) if falling else min(ends)) if ends else None
    if horizon is not None:
        ordered = [e for e in ordered if (sort_key(e) >= horizon if falling else sort_key(e) <= horizon)]
    kept = ordered[:limit]
    last = sort_key(kept[-1]) if len(ordered) > limit else horizon
    cursor = None if last is None else Cursor(version=last[0], namespace=last[1], key=last[2])
    return MergedPage([Hit(entry=entry) for entry in kept], cursor)


def without_superseded(hits: Sequence[Hit], known: Mapping[Address, Iterable[Fetched]]) -> list[Hit]:
    """The hits that no sink knows to be superseded or gone.

    Args:
        hits: of one merged page.
        known: what the other sinks hold at the hits' addresses.
    """
    return [hit for hit in hits if not _is_superseded(hit, known.get(hit.entry.address, ()))]


def _is_superseded(hit: Hit, known: Iterable[Fetched]) -> bool:
    version = hit.entry.version
    return any(
        said.version is not None
        and (said.version > version or (said.version == version and said.state == "gone"))
        for said in known
    )


def sort_key(entry: Entry) -> SortKey:
    """What lists are sorted by and cursors are made of."""
    return (entry.version, entry.namespace, entry.key)


def _newest_entries(pages: Iterable[Page]) -> dict[Address, Entry]:
    found: dict[Address, Entry] = {}
    for page in pages:
        for hit in page.hits:
            address = hit.entry.address
            present = found.get(address)
            if present is None or _is_newer(hit.entry, present):
                found[address] = hit.entry
    return found
