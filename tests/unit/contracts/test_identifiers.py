"""Namespaces: paths whose parts are compared whole."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.identifiers import is_within, namespace_ancestors
from memlane.storage.conformance.strategies import namespaces

_near = st.lists(st.sampled_from(["a", "b", "ab", "A", "ä"]), min_size=1, max_size=4).map("/".join)


@given(one=_near, other=_near)
def test_within_is_by_whole_parts(one: str, other: str) -> None:
    """A namespace is within another one whose parts its own begin with."""
    parts, above = one.split("/"), other.split("/")
    assert is_within(one, other) == (parts[: len(above)] == above)


@given(namespace=namespaces())
def test_the_ancestors_are_what_it_is_within(namespace: str) -> None:
    """Itself first, the top last."""
    found = namespace_ancestors(namespace)
    assert found == ["/".join(namespace.split("/")[:n]) for n in range(len(namespace.split("/")), 0, -1)]
    assert all(is_within(namespace, ancestor) for ancestor in found)


def test_an_address_says_where_it_is() -> None:
    """The default namespace is not said."""
    assert str(Address("u", "default", "k")) == "u:k"
    assert str(Address("u", "a/b", "k")) == "u:a/b/k"
