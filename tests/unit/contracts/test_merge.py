"""Merging the sinks' answers: newest wins, ranks are fused, and the order of the sinks never matters."""

from collections.abc import Mapping
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry, entry_from_row
from memlane.contracts.fingerprint import entry_hash
from memlane.contracts.merge import (
    MergedPage,
    merge_listed,
    merge_ranked,
    newest,
    sort_key,
    without_superseded,
)
from memlane.contracts.query import Cursor
from memlane.contracts.reply import DigestModel, Fetched, Hit, Page
from memlane.storage.conformance.commands import store, version

Order = Literal["newest", "oldest"]
_SINKS = ("memory", "redis", "sqlite")
_EMPTY = DigestModel(count=0, sum=0)
_orders: st.SearchStrategy[Order] = st.sampled_from(["newest", "oldest"])


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


_entries = st.builds(
    lambda key, at, value: _entry(store(key, value, at=at)),
    st.sampled_from("abcdef"),
    st.integers(1, 6),
    st.sampled_from(["x", "y"]),
)
Delivery = tuple[Entry, set[int]]
_deliveries = st.lists(st.tuples(_entries, st.sets(st.integers(0, 2), min_size=1)), max_size=14)
_fetched = st.one_of(
    st.just(Fetched(state="unknown")),
    st.builds(lambda at: Fetched(state="unknown", version=version(at)), st.integers(1, 3)),
    st.builds(lambda at: Fetched(state="gone", version=version(at)), st.integers(1, 3)),
    st.builds(
        lambda at, value: Fetched(
            state="entry", version=version(at), entry=_entry(store(value=value, at=at))
        ),
        st.integers(1, 3),
        st.sampled_from(["x", "y"]),
    ),
)


def _contents(delivered: list[Delivery]) -> list[dict[Address, Entry]]:
    """What each of three sinks holds, where each got only some of the entries."""
    held: list[dict[Address, Entry]] = [{}, {}, {}]
    for entry, sinks in delivered:
        for at in sinks:
            if _rank(held[at].get(entry.address)) < _rank(entry):
                held[at][entry.address] = entry
    return held


def _rank(entry: Entry | None) -> tuple[str, str]:
    return (entry.version, entry_hash(entry)) if entry else ("", "")


def _page(held: Mapping[Address, Entry], order: Order, limit: int, cursor: Cursor | None) -> Page:
    """What a sink answers to a list."""
    falling = order == "newest"
    end = (cursor.version, cursor.namespace, cursor.key) if cursor else None
    rows = sorted(held.values(), key=sort_key, reverse=falling)
    behind = [e for e in rows if end is None or (sort_key(e) < end if falling else sort_key(e) > end)]
    return Page(hits=[Hit(entry=e) for e in behind[:limit]], more=len(behind) > limit, digest=_EMPTY)


@given(data=st.data(), answers=st.lists(_fetched, max_size=5))
def test_the_newest_is_the_same_in_any_order(data: st.DataObject, answers: list[Fetched]) -> None:
    """Equal versions too: gone before an entry, an entry before unknown, the higher hash before the lower."""
    assert newest(data.draw(st.permutations(answers))) == newest(answers)


@given(answers=st.lists(_fetched, max_size=5), cut=st.integers(0, 5))
def test_the_newest_can_be_found_in_parts(answers: list[Fetched], cut: int) -> None:
    """As the sinks answer one after the other."""
    assert newest([newest(answers[:cut]), newest(answers[cut:])]) == newest(answers)


@given(answers=st.lists(_fetched, max_size=5))
def test_no_answer_is_newer_than_the_newest(answers: list[Fetched]) -> None:
    """A sink that knows of a newer version that it can't serve makes the whole unknown at that version."""
    best = newest(answers)
    assert best.version == max((answer.version for answer in answers if answer.version), default=None)
    if best.entry is not None:
        assert not any(a.state == "gone" and (a.version or "") >= best.entry.version for a in answers)


def test_of_nothing_the_newest_is_unknown() -> None:
    """Nobody has a trace of it."""
    assert newest([]) == Fetched(state="unknown")


@settings(max_examples=150)
@given(entries=_deliveries, limit=st.integers(1, 5), order=_orders)
def test_pages_make_up_the_whole_list(entries: list[Delivery], limit: int, order: Order) -> None:
    """Page by page, with the merged cursor: every newest entry once, in order, none left out."""
    held = _contents(entries)
    latest: dict[Address, Entry] = {}
    for entry in (entry for sink in held for entry in sink.values()):
        if _rank(latest.get(entry.address)) < _rank(entry):
            latest[entry.address] = entry
    expected = sorted(latest.values(), key=sort_key, reverse=order == "newest")
    assert [entry for entry in _walk(held, limit, order) if latest[entry.address] == entry] == expected


@settings(max_examples=150)
@given(entries=_deliveries, limit=st.integers(1, 5), order=_orders)
def test_what_sinks_know_to_be_superseded_can_be_dropped(
    entries: list[Delivery], limit: int, order: Order
) -> None:
    """Hits confirmed by the other sinks are exactly the newest entries by version."""
    held = _contents(entries)
    hits = [Hit(entry=entry) for entry in _walk(held, limit, order)]
    known = {hit.entry.address: [_answer(sink, hit.entry.address) for sink in held] for hit in hits}
    left = without_superseded(hits, known)
    for hit in left:
        assert hit.entry.version == newest(known[hit.entry.address]).version
    assert {hit.entry.address for hit in left} == {entry.address for sink in held for entry in sink.values()}


def test_a_page_ends_where_a_sink_is_not_known_any_further() -> None:
    """Although another sink's page goes on: what the first one holds between would be skipped."""
    first = [_entry(store(key, at=at)) for key, at in (("x", 1), ("y", 2), ("z", 5))]
    second = [_entry(store(key, at=at)) for key, at in (("x", 6), ("v", 7), ("w", 8))]
    held = [{entry.address: entry for entry in entries} for entries in (first, second)]
    assert [entry.key for entry in _walk(held, 2, "oldest")] == ["y", "z", "x", "v", "w"]


def _answer(held: Mapping[Address, Entry], address: Address) -> Fetched:
    entry = held.get(address)
    return Fetched(state="entry", version=entry.version, entry=entry) if entry else Fetched(state="unknown")


def _walk(held: list[dict[Address, Entry]], limit: int, order: Order) -> list[Entry]:
    found: list[Entry] = []
    cursor: Cursor | None = None
    for _ in range(100):
        pages = {str(at): _page(sink, order, limit, cursor) for at, sink in enumerate(held)}
        merged = merge_listed(pages, limit, order)
        assert len(merged.hits) <= limit
        found += [hit.entry for hit in merged.hits]
        cursor = merged.cursor
        if cursor is None:
            return found
    raise AssertionError("the list did not come to an end")


@given(data=st.data(), entries=_deliveries, limit=st.integers(1, 5), order=_orders)
def test_a_list_is_the_same_whoever_comes_first(
    data: st.DataObject, entries: list[Delivery], limit: int, order: Order
) -> None:
    """The order of the sinks decides nothing."""
    pages = dict(zip(_SINKS, (_page(sink, order, limit, None) for sink in _contents(entries)), strict=True))
    other = {name: pages[name] for name in data.draw(st.permutations(_SINKS))}
    assert merge_listed(other, limit, order) == merge_listed(pages, limit, order)


@given(data=st.data(), ranked=st.tuples(*[st.lists(_entries, max_size=6)] * 3), limit=st.integers(1, 8))
def test_a_ranking_is_the_same_whoever_comes_first(
    data: st.DataObject, ranked: tuple[list[Entry], ...], limit: int
) -> None:
    """Not even a tie is decided by the order of the sinks, or by the order in which floats are added."""
    pages = {name: _ranking(entries) for name, entries in zip(_SINKS, ranked, strict=True)}
    other = {name: pages[name] for name in data.draw(st.permutations(_SINKS))}
    assert merge_ranked(other, limit) == merge_ranked(pages, limit)


def test_ranks_tie_exactly() -> None:
    """The same ranks in other sinks are as good, although as floats they would add up to less."""
    old, new = _entry(store("old", at=1)), _entry(store("new", at=2))
    ranks = {"a": (2, 1), "b": (1, 7), "c": (7, 2)}
    pages = {}
    for name, (of_old, of_new) in ranks.items():
        entries = [_entry(store(f"{name} {n}", at=3)) for n in range(7)]
        entries[of_old - 1], entries[of_new - 1] = old, new
        pages[name] = _ranking(entries)
    assert [hit.entry for hit in merge_ranked(pages, 2).hits] == [new, old]


def _ranking(entries: list[Entry]) -> Page:
    hits = {entry.address: Hit(entry=entry) for entry in entries}
    return Page(hits=list(hits.values()), more=False, digest=_EMPTY)


def test_what_several_sinks_rank_high_comes_first() -> None:
    """Agreement counts more than one first place."""
    agreed, alone, other = (_entry(store(key)) for key in ("agreed", "alone", "other"))
    pages = {"a": _ranking([alone, agreed]), "b": _ranking([other, agreed]), "c": _ranking([agreed])}
    assert merge_ranked(pages, 1).hits[0].entry == agreed


def test_the_newest_of_an_address_is_ranked() -> None:
    """An older version lends it no rank."""
    old, new, other = _entry(store("k", at=1)), _entry(store("k", at=2)), _entry(store("other", at=1))
    merged = merge_ranked({"a": _ranking([old, other]), "b": _ranking([other, new])}, 5)
    assert [hit.entry for hit in merged.hits] == [other, new]


def test_no_pages_no_hits() -> None:
    """When no sink answered."""
    assert merge_ranked({}, 5) == merge_listed({}, 5) == MergedPage([], None)


def test_a_sink_that_knows_more_drops_a_hit() -> None:
    """A newer version, or that it is gone at the very version; not an older one, and not ignorance."""
    hit = Hit(entry=_entry(store(at=2)))
    dropping = [
        Fetched(state="entry", version=version(3), entry=_entry(store(at=3))),
        Fetched(state="gone", version=version(3)),
        Fetched(state="unknown", version=version(3)),
        Fetched(state="gone", version=version(2)),
    ]
    for said in dropping:
        assert without_superseded([hit], {hit.entry.address: [said]}) == []
    keeping = [
        Fetched(state="unknown"),
        Fetched(state="gone", version=version(1)),
        Fetched(state="unknown", version=version(2)),
    ]
    assert without_superseded([hit], {hit.entry.address: keeping}) == [hit]
    assert without_superseded([hit], {}) == [hit]
