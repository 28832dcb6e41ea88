"""A client remembers what it wrote lately, so that an older answer counts as none."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.producers.client.recent_writes import RecentWrites
from tests.support.commands import version

AT = Address("u", "a/b", "k")


def test_nothing_written_demands_nothing() -> None:
    """Any answer will do."""
    assert RecentWrites().min_version(AT) is None


def test_the_newest_write_counts() -> None:
    """Whatever the order in which writes were confirmed."""
    older, newer = version(), version()
    for order in ((older, newer), (newer, older)):
        recent = RecentWrites()
        for one in order:
            recent.wrote(one, *AT)
        assert recent.min_version(AT) == newer


def test_a_deleted_scope_counts_for_all_in_it() -> None:
    """And for nothing beside it."""
    recent = RecentWrites()
    recent.wrote(of_namespace := version(), "u", "a")
    assert recent.min_version(AT) == of_namespace
    assert recent.min_version(Address("u", "a", "k")) == of_namespace
    assert recent.min_version(Address("u", "ab", "k")) is None
    assert recent.min_version(Address("v", "a", "k")) is None
    recent.wrote(of_user := version(), "u")
    assert recent.min_version(Address("u", "ab", "k")) == of_user
    assert recent.min_version(Address("v", "ab", "k")) is None


@given(st.lists(st.integers(0, 9), max_size=40))
def test_the_oldest_are_forgotten_first(keys: list[int]) -> None:
    """What is remembered is bounded."""
    recent = RecentWrites(most=3)
    for key in keys:
        recent.wrote(version(), "u", "default", str(key))
    lately = list(dict.fromkeys(reversed(keys)))[:3]
    known = {key for key in range(10) if recent.min_version(Address("u", "default", str(key)))}
    assert known == set(lately)
