"""The rules as a pure function: any split of any commands comes to what their set comes to."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import to_microseconds
from memlane.storage.conformance.commands import NOW, delete, delete_namespace, forget, moment, store, version
from memlane.storage.conformance.model import Model
from memlane.storage.conformance.plans import Plan, delivery_plans
from memlane.storage.decide import covering, decide, in_scope
from memlane.storage.outcome import APPLIED, BELOW_FLOOR, Outcome
from memlane.storage.rows import Head, Kind, Mark, Scope


class Held:
    """What a sink holds, over two dicts; it looks for covered rows in all of them after each batch."""

    def __init__(self) -> None:
        self.heads: dict[Address, Head] = {}
        self.marks: dict[str, dict[str | None, Mark]] = defaultdict(dict)

    def apply(self, *commands: AnyCommand, now_us: int = to_microseconds(NOW)) -> list[Outcome]:
        """Decides a batch and keeps what it comes to."""
        decided = decide(commands, self.heads, self.marks, now_us=now_us, refuse=_refuse)
        assert not decided.dropped_marks & decided.marks.keys()
        for address, change in decided.rows.items():
            if change is None:
                self.heads.pop(address, None)
            else:
                self.heads[address] = change[0]
        for scope in decided.dropped_marks:
            self.marks[scope.user_id].pop(scope.namespace, None)
        for scope, mark in decided.marks.items():
            self.marks[scope.user_id][scope.namespace] = mark
        self._check_nothing_covered_is_left()
        return decided.outcomes

    def kept(self) -> set[tuple[Address | Scope, str, str]]:
        """Place, version and hash of every row and mark."""
        rows = {(address, head.version, head.hash) for address, head in self.heads.items()}
        marks = {
            (Scope(user, namespace), mark.version, mark.hash)
            for user, of_user in self.marks.items()
            for namespace, mark in of_user.items()
        }
        return rows | marks

    def _check_nothing_covered_is_left(self) -> None:
        for address, head in self.heads.items():
            mark = covering(self.marks[address.user_id], address.namespace)
            assert mark is None or mark.version < head.version


def _refuse(command: StoreCommand) -> str | None:
    return "too much" if command.value == "too much" else None


@given(plan=delivery_plans(sinks=1))
def test_any_split_comes_to_the_set(plan: Plan) -> None:
    """Rows and marks are those of the model, after any batches, duplicates and order."""
    held = Held()
    for step in plan.schedules[0]:
        held.apply(*(plan.commands[index] for index in step.deliver))
    assert held.kept() == Model(plan.commands).kept()


@given(plan=delivery_plans(sinks=1))
def test_one_batch_is_as_good_as_many(plan: Plan) -> None:
    """All at once, or one by one: the same rows, marks and outcomes."""
    at_once, one_by_one = Held(), Held()
    outcomes = at_once.apply(*plan.commands)
    assert outcomes == [one_by_one.apply(command)[0] for command in plan.commands]
    assert (at_once.heads, dict(at_once.marks)) == (one_by_one.heads, dict(one_by_one.marks))


def test_a_command_that_changes_nothing_is_no_change() -> None:
    """A sink has nothing to write for a duplicate."""
    held = Held()
    held.apply(store(), delete_namespace("a", at=2))
    decided = decide([store(), delete_namespace("a", at=2)], held.heads, held.marks, now_us=0)
    assert decided.outcomes == [APPLIED, APPLIED]
    assert not decided.rows
    assert not decided.marks
    assert not decided.dropped_marks


def test_the_state_that_is_given_is_not_changed() -> None:
    """The sink writes what was decided; the function only decides."""
    held = Held()
    held.apply(store(), delete_namespace("a", at=2))
    before = dict(held.heads), {user: dict(marks) for user, marks in held.marks.items()}
    decide([store(at=5), forget(at=6)], held.heads, held.marks, now_us=0)
    assert (held.heads, {user: dict(marks) for user, marks in held.marks.items()}) == before


def test_refused_is_decided_and_said_again() -> None:
    """With the reason, also for a duplicate; and what is older stays superseded."""
    held = Held()
    refused = Outcome("refused", "too much")
    assert held.apply(store(value="too much", at=2)) == [refused]
    assert held.apply(store(value="too much", at=2), store(at=1)) == [
        refused,
        Outcome("superseded", newer=version(2)),
    ]
    assert [head.kind for head in held.heads.values()] == [Kind.REFUSED]


def test_a_refused_row_whose_sink_would_take_it_now_stays_refused() -> None:
    """It is decided once; the reason is that it was refused before."""
    command = store(value="large")
    heads = {command.address: Head(command.id, command_hash(command), Kind.REFUSED)}
    decided = decide([command], heads, {}, now_us=0)
    assert decided.outcomes == [Outcome("refused", "refused before")]


def test_what_is_expired_on_arrival_need_not_be_refused() -> None:
    """Nothing of it is kept but its version."""
    held = Held()
    assert held.apply(store(value="too much", expires_at=moment(5))) == [APPLIED]
    assert [head.kind for head in held.heads.values()] == [Kind.EXPIRED]


def test_a_row_of_the_same_batch_is_covered_by_its_mark() -> None:
    """A row that was never held is not even removed by name."""
    decided = decide([store(at=1), forget(at=2)], {}, {}, now_us=0)
    assert decided.outcomes == [APPLIED, APPLIED]
    assert decided.rows == {store().address: None}


def test_a_covered_delete_says_which_mark() -> None:
    """The mark's version supersedes it."""
    held = Held()
    held.apply(delete_namespace("a", at=3))
    assert held.apply(delete(namespace="a/b", at=2)) == [Outcome("superseded", newer=version(3))]


@given(
    namespace=st.sampled_from(["a", "a/b", "ab", "b"]),
    marked=st.lists(st.sampled_from([None, "a", "a/b", "ab", "b/a"]), unique=True),
)
def test_the_newest_mark_above_covers(namespace: str, marked: list[str | None]) -> None:
    """Of a user's marks, those in whose scope the namespace is."""
    marks = {scope: Mark(version(at), "") for at, scope in enumerate(marked)}
    above = [mark for scope, mark in marks.items() if in_scope(Scope("u", scope), "u", namespace)]
    assert covering(marks, namespace) == max(above, default=None)
    assert not any(in_scope(Scope("other", scope), "u", namespace) for scope in marked)


def _below(held: Held, floor: str, *commands: AnyCommand) -> list[Outcome]:
    now_us = to_microseconds(NOW)
    return decide(commands, held.heads, held.marks, now_us=now_us, refuse=_refuse, floor=floor).outcomes


def test_below_the_floor_a_store_needs_a_live_row() -> None:
    """Also one that comes in the same batch. What serves nothing may come."""
    held = Held()
    held.apply(store("live"), delete("gone", at=1), store("too much", "too much"))
    late = [store(key, at=2) for key in ("live", "gone", "too much", "never")]
    assert _below(held, version(9), *late) == [APPLIED, *[BELOW_FLOOR] * 3]
    assert _below(held, version(9), delete("live", at=2), store("live", at=3)) == [APPLIED, BELOW_FLOOR]
    assert _below(held, version(9), forget(at=2), store("live", at=3)) == [APPLIED, BELOW_FLOOR]
    assert _below(held, version(9), store("never", expires_at=moment(5))) == [APPLIED]
    assert _below(held, version(2), *late) == [APPLIED] * 4


def test_below_the_floor_a_covered_row_does_not_live() -> None:
    """A sink may hold it still, while it is purged."""
    mark: dict[str, dict[str | None, Mark]] = {"u": {None: Mark(version(2), command_hash(forget(at=2)))}}
    row = {store().address: Head(version(1), command_hash(store()), Kind.LIVE)}
    late = store(at=3)
    found = decide([late], row, mark, now_us=to_microseconds(NOW), floor=version(9))
    assert (found.outcomes, found.rows) == ([BELOW_FLOOR], {})


def test_below_the_floor_a_refused_store_leaves_no_row() -> None:
    """Its sink could not take it anyway."""
    assert _below(Held(), version(9), store(value="too much")) == [BELOW_FLOOR]
