"""Bodies by structure: envelopes and commands in which some field is not what it should be."""

import json
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.support.commands import raw_store, version

FIELDS: Final = (
    "type", "id", "user_id", "namespace", "key", "value", "tags", "importance", "session_id", "project_id",
    "metadata", "created_at", "expires_at", "scope",
)  # fmt: skip

_TEXT: Final = st.text(st.characters(), max_size=20)
_SCALAR: Final = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _TEXT, st.integers(min_value=2**63, max_value=2**80)
)
JSON: Final = st.recursive(
    _SCALAR,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)

_STORES: Final = st.fixed_dictionaries({"value": JSON}).map(
    lambda fields: raw_store(user_id="fuzz", **fields)
)
_DELETES: Final = st.builds(
    lambda scope, namespace: {
        "type": "delete", "id": version(), "scope": scope, "user_id": "fuzz",
        "namespace": namespace, "key": "k",
    },
    st.sampled_from(["address", "namespace", "user", "everything"]),
    st.sampled_from(["a", "a/b", "/", "", "a//b", "/".join("x" * 17)]),
)  # fmt: skip
_BROKEN: Final = st.builds(
    lambda command, field, value: {**command, field: value},
    _STORES | _DELETES,
    st.sampled_from(FIELDS) | _TEXT,
    JSON,
)
_COMMANDS: Final = st.one_of(_STORES, _DELETES, _BROKEN, JSON)
_ENVELOPES: Final = st.one_of(
    st.builds(
        lambda commands: {"schema": 1, "commands": commands}, st.lists(_COMMANDS, min_size=1, max_size=4)
    ),
    st.builds(
        lambda schema, commands, more: {"schema": schema, "commands": commands, **more},
        _SCALAR,
        JSON | st.lists(_COMMANDS, max_size=2),
        st.dictionaries(_TEXT, _SCALAR, max_size=1),
    ),
    JSON,
)


def structures(number: int, seed_: int) -> list[bytes]:
    """About so many bodies, the same for the same seed (but for the versions in them)."""
    found: list[bytes] = []

    @seed(seed_)
    @settings(
        max_examples=number,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_ENVELOPES)
    def collect(envelope: Any) -> None:  # Any: what JSON can say
        # A lone surrogate is written as an escape, NaN as the word: some producers do so.
        found.append(json.dumps(envelope).encode())

    collect()
    return found
