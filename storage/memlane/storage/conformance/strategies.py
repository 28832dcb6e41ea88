"""Hypothesis strategies: any valid command, and commands that are likely to meet each other."""

from datetime import UTC, datetime
from itertools import count
from typing import Final

from hypothesis import strategies as st

from memlane.contracts.canonical import Json
from memlane.contracts.command import (
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.limits import MAX_IDENTIFIER, MAX_NAMESPACE_DEPTH
from memlane.contracts.query import Filters
from memlane.contracts.version import MAX_TAIL, make_version
from memlane.storage.conformance.commands import moment, version

_LATEST_MS: Final = 4_102_444_800_000  # the year 2100
_names = count(1)


def texts(max_size: int = 12) -> st.SearchStrategy[str]:
    """Text without lone surrogates, control characters included."""
    return st.text(st.characters(exclude_categories=["Cs"]), max_size=max_size)


def identifiers(max_size: int = 12) -> st.SearchStrategy[str]:
    """Any user, key, tag, session or project."""
    return st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=max_size)


def namespaces() -> st.SearchStrategy[str]:
    """Any path of 1 to 16 parts."""
    part = st.text(
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="/"), min_size=1, max_size=8
    )
    paths = st.lists(part, min_size=1, max_size=MAX_NAMESPACE_DEPTH).map("/".join)
    return paths.filter(lambda path: len(path) <= MAX_IDENTIFIER)


def json_values(max_leaves: int = 8) -> st.SearchStrategy[Json]:
    """Any JSON value: integers of any size, doubles, nested lists and objects."""
    numbers = (
        st.integers() | st.integers(-(10**60), 10**60) | st.floats(allow_nan=False, allow_infinity=False)
    )
    return st.recursive(
        st.none() | st.booleans() | numbers | texts(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts(), inner, max_size=4),
        max_leaves=max_leaves,
    )


def versions() -> st.SearchStrategy[str]:
    """Any version from 1970 to 2100."""
    return st.builds(make_version, st.integers(0, _LATEST_MS), st.integers(0, MAX_TAIL))


def instants(first_year: int = 1) -> st.SearchStrategy[datetime]:
    """Any instant that the wire allows, to the microsecond."""
    return st.datetimes(min_value=datetime(first_year, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def any_store(
    users: st.SearchStrategy[str] | None = None, expiries: st.SearchStrategy[datetime] | None = None
) -> st.SearchStrategy[StoreCommand]:
    """Any valid store."""
    return st.builds(
        StoreCommand,
        id=versions(),
        user_id=identifiers() if users is None else users,
        namespace=namespaces(),
        key=identifiers(),
        value=json_values(),
        tags=st.lists(identifiers(), max_size=4).map(tuple),
        importance=st.integers(1, 10),
        session_id=st.none() | identifiers(),
        project_id=st.none() | identifiers(),
        metadata=st.dictionaries(texts(), json_values(3), max_size=3),
        created_at=st.none() | instants(),
        expires_at=st.none() | (instants() if expiries is None else expiries),
    )


def any_command() -> st.SearchStrategy[AnyCommand]:
    """Any valid command."""
    return st.one_of(
        any_store(),
        st.builds(
            ExpiredStore,
            id=versions(),
            user_id=identifiers(),
            namespace=namespaces(),
            key=identifiers(),
            hash=st.text("0123456789abcdef", min_size=32, max_size=32),
        ),
        st.builds(
            DeleteAddress, id=versions(), user_id=identifiers(), namespace=namespaces(), key=identifiers()
        ),
        st.builds(DeleteNamespace, id=versions(), user_id=identifiers(), namespace=namespaces()),
        st.builds(DeleteUser, id=versions(), user_id=identifiers()),
    )


def fresh_names() -> st.SearchStrategy[str]:
    """A name that no example had before, for a user or in front of users: examples may share a sink."""
    return st.builds(lambda: f"{next(_names)}-")


class Awkward:
    """Names that a store which builds keys, patterns or paths from them would mix up."""

    users: Final = st.sampled_from(
        ["a", "A", "a:b", "a/b", "a ", "*", "%", "_", "ä", "a\u0308", "\U0010ffff"]
    )
    namespaces: Final = st.sampled_from(["a", "A", "a/b", "ab", "a:b", "%", "b/a", "ä", "a/%/b", "default"])
    keys: Final = st.sampled_from(
        ["a", "A", "b", "b/a", "b:a", ":a", "/", "%", "*", "a ", "ä", "user:a", "{a}"]
    )


def filtered_stores() -> st.SearchStrategy[StoreCommand]:
    """Stores of one user and few labels, for the filters of `some_filters`."""
    return st.builds(
        StoreCommand,
        id=st.builds(version, st.integers(1, 5)),
        user_id=st.just("u"),
        namespace=st.sampled_from(["a", "a/b", "ab"]),
        key=st.sampled_from(["a", "b", "ab", "a%", "A", "[a]"]),
        value=st.just(1),
        tags=st.lists(st.sampled_from(["x", "y", "X"]), max_size=3).map(tuple),
        importance=st.integers(1, 4),
        session_id=st.sampled_from([None, "s", "S"]),
        project_id=st.sampled_from([None, "s", "p"]),
        metadata=_metadata(),
        created_at=st.none() | st.builds(moment, st.integers(1, 5)),
    )


def some_filters() -> st.SearchStrategy[Filters]:
    """Filters of which each means about half of `filtered_stores`; mostly one or two are given."""
    instant = st.builds(moment, st.sampled_from([1, 2, 2.0005, 3, 4]))
    fields: dict[str, st.SearchStrategy[object]] = {
        "tags_any": st.lists(st.sampled_from(["x", "y", "X"]), min_size=1, max_size=2).map(tuple),
        "tags_all": st.lists(st.sampled_from(["x", "y", "X"]), min_size=1, max_size=2).map(tuple),
        "importance_min": st.integers(1, 4),
        "importance_max": st.integers(1, 4),
        "session_id": st.sampled_from(["s", "S"]),
        "project_id": st.sampled_from(["s", "p"]),
        "created_from": instant,
        "created_before": instant,
        "updated_from": instant,
        "updated_before": instant,
        "metadata": _metadata(),
        "key_pattern": st.sampled_from(["a", "a*", "?", "*b", "[a]", "a%", "*"]),
    }
    names = st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True)
    chosen = names.flatmap(lambda some: st.fixed_dictionaries({name: fields[name] for name in some}))
    return chosen.map(Filters.model_validate)


def _metadata() -> st.SearchStrategy[dict[str, Json]]:
    values: st.SearchStrategy[Json] = st.sampled_from([1, 1.0, True, "1", None, [], {}, {"a": [1]}])
    return st.dictionaries(st.sampled_from(["m", "n", "é.'\""]), values, max_size=2)
