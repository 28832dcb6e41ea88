"""Plans: commands that are likely to meet each other, and how each sink gets them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from memlane.contracts.command import (
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.fingerprint import address_hash, command_hash
from memlane.storage.conformance.commands import expired, moment, version

USERS: Final = ["u", "v"]
NAMESPACES: Final = ["a", "a/b", "a/b/c", "ab", "ä"]
KEYS: Final = ["k", "l"]

START: Final = moment(20)
"""When deliveries begin: all versions are older, some expiries lie behind it and some ahead."""


@dataclass(frozen=True, slots=True)
class Step:
    """One batch, and what comes after it.

    Attributes:
        deliver: which of the plan's commands, in this order, possibly several times.
        wait: so many seconds pass.
        sweep: at most so many rows are swept; None: no sweep.
    """

    deliver: tuple[int, ...]
    wait: int = 0
    sweep: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Commands, and a schedule for each sink that delivers each of them at least once."""

    commands: tuple[AnyCommand, ...]
    schedules: tuple[tuple[Step, ...], ...]


def commands() -> st.SearchStrategy[AnyCommand]:
    """Commands of few users, places and versions: equal versions with other contents are among them."""
    version_, user = st.builds(version, st.integers(1, 8)), st.sampled_from(USERS)
    namespace, key = st.sampled_from(NAMESPACES), st.sampled_from(KEYS)
    stores = st.builds(
        StoreCommand,
        id=version_,
        user_id=user,
        namespace=namespace,
        key=key,
        value=st.sampled_from([1, 1.0, [], {}, "x"]),
        expires_at=st.none() | st.builds(moment, st.integers(15, 40)),
    )
    left = st.builds(_left, version_, user, namespace, key, st.sampled_from("08f"))
    return st.one_of(
        stores,
        stores,
        left,
        st.builds(DeleteAddress, id=version_, user_id=user, namespace=namespace, key=key),
        st.builds(DeleteNamespace, id=version_, user_id=user, namespace=namespace),
        st.builds(DeleteUser, id=version_, user_id=user),
    )


def _left(version_: str, user: str, namespace: str, key: str, first: str) -> ExpiredStore:
    """What is left of a store that is not in the plan. As with real ones, no other has its hash."""
    hash_ = first + address_hash(version_ + user, namespace, key)[1:]
    return ExpiredStore(id=version_, user_id=user, namespace=namespace, key=key, hash=hash_)


def left_of(commands: Sequence[AnyCommand]) -> list[ExpiredStore]:
    """What is left of those stores that every sink has for expired from the start."""
    stores = [one for one in commands if isinstance(one, StoreCommand)]
    return [expired(one) for one in stores if one.expires_at is not None and one.expires_at <= START]


def of_users(commands: Sequence[AnyCommand], prefix: str) -> list[AnyCommand]:
    """The same commands of other users, with a prefix. What is left of a store stays what is left of it."""
    moved: list[AnyCommand] = [one.model_copy(update={"user_id": prefix + one.user_id}) for one in commands]
    pairs = zip(commands, moved, strict=True)
    hashes = {command_hash(old): command_hash(new) for old, new in pairs if isinstance(old, StoreCommand)}
    for at, one in enumerate(moved):
        if isinstance(one, ExpiredStore):
            moved[at] = one.model_copy(update={"hash": hashes.get(one.hash, one.hash)})
    return moved


@st.composite
def delivery_plans(draw: st.DrawFn, sinks: int) -> Plan:
    """A plan for so many sinks."""
    drawn = draw(st.lists(commands(), min_size=1, max_size=12))
    left = left_of(drawn)
    if left:
        drawn += draw(st.lists(st.sampled_from(left), max_size=3))
    return Plan(tuple(drawn), tuple(draw(_schedules(len(drawn))) for _ in range(sinks)))


@st.composite
def _schedules(draw: st.DrawFn, count: int) -> tuple[Step, ...]:
    again = draw(st.lists(st.integers(0, count - 1), max_size=4))
    order = draw(st.permutations([*range(count), *again]))
    steps: list[Step] = []
    while order:
        size = draw(st.integers(1, len(order)))
        batch, order = order[:size], order[size:]
        steps.append(Step(tuple(batch), draw(st.sampled_from([0, 0, 1, 7])), draw(_LIMITS)))
    return tuple(steps)


_LIMITS: Final = st.sampled_from([None, None, 1, 1000])
