"""The tally: what changes add up to, in any order."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.fingerprint import digest_of
from memlane.storage.digesting import Tally, scope_bucket
from memlane.storage.rows import Head, Kind, Mark, Scope

_hashes = st.text("0123456789abcdef", min_size=32, max_size=32)
_heads = st.builds(Head, st.just("v"), _hashes, st.sampled_from(Kind))
_changes = st.lists(st.tuples(st.sampled_from("uv"), st.integers(0, 3), st.none() | _heads), max_size=20)


@given(changes=_changes)
def test_a_tally_is_what_is_left(changes: list[tuple[str, int, Head | None]]) -> None:
    """Rows come, are replaced and go: counts and sums are those of the rows that are there at the end."""
    tally, rows = Tally(), dict[tuple[str, int], Head | None]()
    for user, bucket, head in changes:
        tally.row(user, bucket, rows.get((user, bucket)), head)
        rows[user, bucket] = head
    for user, delta in tally.users.items():
        left = [head for (owner, _), head in rows.items() if head and owner == user]
        digest = digest_of(head.hash for head in left)
        assert (delta.count, delta.sum) == (digest.count, digest.sum)
        assert delta.kinds == {kind: sum(head.kind is kind for head in left) for kind in Kind}
    for bucket, count, total in tally.bucket_deltas():
        digest = digest_of(head.hash for (_, at), head in rows.items() if head and at == bucket)
        assert (count, total) == (digest.count, digest.sum)


def test_marks_are_counted_in_the_bucket_of_their_scope() -> None:
    """Set, replaced and dropped."""
    tally, scope = Tally(), Scope("u", "a")
    one, two = Mark("1", "1" * 32), Mark("2", "2" * 32)
    tally.mark(scope, None, one)
    tally.mark(scope, one, two)
    digest = digest_of([two.hash])
    assert list(tally.bucket_deltas()) == [(scope_bucket(scope), digest.count, digest.sum)]
    tally.mark(scope, two, None)
    assert list(tally.bucket_deltas()) == [(scope_bucket(scope), 0, 0)]
    assert tally.users["u"].marks == 0
    assert scope_bucket(scope) != scope_bucket(Scope("u", None))
