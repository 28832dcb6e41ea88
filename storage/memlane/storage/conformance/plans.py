"""Plans: commands that are likely to meet each other, and how each sink gets them."""

from dataclasses import dataclass
from typing import Final

from hypothesis import strategies as st

from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand
from memlane.storage.conformance.commands import moment, version

USERS: Final = ["u", "v"]
NAMESPACES: Final = ["a", "a/b", "a/b/c", "ab", "ä"]
KEYS: Final = ["k", "l"]


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
    return st.one_of(
        stores,
        stores,
        st.builds(DeleteAddress, id=version_, user_id=user, namespace=namespace, key=key),
        st.builds(DeleteNamespace, id=version_, user_id=user, namespace=namespace),
        st.builds(DeleteUser, id=version_, user_id=user),
    )


@st.composite
def delivery_plans(draw: st.DrawFn, sinks: int) -> Plan:
    """A plan for so many sinks."""
    drawn = draw(st.lists(commands(), min_size=1, max_size=12))
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
