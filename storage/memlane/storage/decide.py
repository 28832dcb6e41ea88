"""What is done with a command: the rules that make sinks converge, as one pure function.

By address the highest (version, hash) wins. A mark covers whatever is in its scope up to its own
version, and no row or mark that is covered is kept. So the outcome is the same for every order in which
commands arrive, and for any number of times.

Below a floor, where deletes may have been forgotten, that can't be told any more: a store is taken there only
where an older one lives.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from memlane.contracts.address import Address
from memlane.contracts.command import (
    AddressCommand,
    AnyCommand,
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.identifiers import is_within, namespace_ancestors
from memlane.storage.outcome import APPLIED, BELOW_FLOOR, Outcome
from memlane.storage.rows import Head, Kind, Mark, Scope

UserMarks = Mapping[str | None, Mark]
"""A user's marks by namespace; under None, the mark of the whole user."""

Refuse = Callable[[StoreCommand], str | None]
"""Says why a sink can never take a command; None if it can."""


@dataclass(slots=True)
class Decided:
    """What a batch comes to.

    Attributes:
        outcomes: one for each command, in their order.
        rows: the new head by address, with the command that it comes from; None where a mark of this
            batch removes the row that was there, or that came before it in the batch.
        marks: the marks to set.
        dropped_marks: the marks that a new one covers.
    """

    outcomes: list[Outcome] = field(default_factory=list)
    rows: dict[Address, tuple[Head, AnyCommand] | None] = field(default_factory=dict)
    marks: dict[Scope, Mark] = field(default_factory=dict)
    dropped_marks: set[Scope] = field(default_factory=set)


def takes_everything(_command: StoreCommand) -> str | None:
    """Of a sink that refuses nothing."""
    return None


def decide(
    commands: Sequence[AnyCommand],
    heads: Mapping[Address, Head],
    marks: Mapping[str, UserMarks],
    *,
    now_us: int,
    refuse: Refuse = takes_everything,
    floor: str | None = None,
) -> Decided:
    """What a batch comes to.

    Args:
        commands: the batch, in any order.
        heads: what the sink holds at the batch's addresses.
        marks: all marks that the sink holds of the batch's users.
        now_us: a store that has expired by then becomes an expired row.
        refuse: the sink's own limits.
        floor: a store below it is refused where no live row is; None: all are taken, as repairs are.
    """
    return _Batch(heads, marks, now_us, refuse, floor).run(commands)


def covering(marks: UserMarks, namespace: str) -> Mark | None:
    """The newest of a user's marks that covers a namespace."""
    if not marks:
        return None
    found = [mark for scope in (None, *namespace_ancestors(namespace)) if (mark := marks.get(scope))]
    return max(found, default=None)


def in_scope(scope: Scope, user_id: str, namespace: str | None) -> bool:
    """Whether a mark's scope takes in a namespace (None: the whole user) of a user."""
    if scope.user_id != user_id:
        return False
    return scope.namespace is None or (namespace is not None and is_within(namespace, scope.namespace))


class _Batch:
    """One run of `decide`: the sink's state, overlaid with what the batch has changed so far."""

    def __init__(
        self,
        heads: Mapping[Address, Head],
        marks: Mapping[str, UserMarks],
        now_us: int,
        refuse: Refuse,
        floor: str | None,
    ) -> None:
        self._heads: dict[Address, Head] = dict(heads)
        self._marks: dict[str, dict[str | None, Mark]] = {user: dict(of) for user, of in marks.items()}
        self._now_us = now_us
        self._refuse = refuse
        self._floor = floor
        self._decided = Decided()

    def run(self, commands: Iterable[AnyCommand]) -> Decided:
        outcomes = self._decided.outcomes
        for command in commands:
            if isinstance(command, (StoreCommand, DeleteAddress, ExpiredStore)):
                outcomes.append(self._row(command, command.address))
            else:
                outcomes.append(self._mark(command))
        return self._decided

    def _row(self, command: AddressCommand, address: Address) -> Outcome:
        marks = self._marks.get(address.user_id)
        mark = covering(marks, address.namespace) if marks else None
        if mark is not None and mark.version >= command.id:
            return Outcome("superseded", newer=mark.version)
        present = self._heads.get(address)
        hash_ = command_hash(command)
        if present is not None and (present.version, present.hash) >= (command.id, hash_):
            return self._not_newer(present, command, hash_)
        kind, reason = self._kind(command)
        if self._floor is not None and command.id < self._floor and not _may_be_old(kind, present, mark):
            return BELOW_FLOOR
        head = Head(command.id, hash_, kind)
        self._heads[address] = head
        self._decided.rows[address] = (head, command)
        return APPLIED if reason is None else Outcome("refused", reason)

    def _not_newer(self, present: Head, command: AddressCommand, hash_: str) -> Outcome:
        if (present.version, present.hash) != (command.id, hash_):
            return Outcome("superseded", newer=present.version)
        if present.kind is Kind.REFUSED:
            reason = self._refuse(command) if isinstance(command, StoreCommand) else None
            return Outcome("refused", reason or "refused before")
        return APPLIED

    def _kind(self, command: AddressCommand) -> tuple[Kind, str | None]:
        if isinstance(command, DeleteAddress):
            return Kind.DELETED, None
        if isinstance(command, ExpiredStore):
            return Kind.EXPIRED, None
        expires = command.expires_us
        if expires is not None and expires <= self._now_us:
            return Kind.EXPIRED, None
        reason = self._refuse(command)
        return (Kind.LIVE, None) if reason is None else (Kind.REFUSED, reason)

    def _mark(self, command: DeleteNamespace | DeleteUser) -> Outcome:
        namespace = command.namespace if isinstance(command, DeleteNamespace) else None
        scope = Scope(command.user_id, namespace)
        mark = Mark(command.id, command_hash(command))
        marks = self._marks.setdefault(command.user_id, {})
        cover = marks.get(None) if namespace is None else covering(marks, namespace)
        if cover is not None and cover.version >= mark.version:
            return APPLIED if marks.get(namespace) == mark else Outcome("superseded", newer=cover.version)
        self._drop_covered_marks(scope, mark, marks)
        marks[namespace] = mark
        self._decided.marks[scope] = mark
        self._decided.dropped_marks.discard(scope)
        self._remove_covered_rows(scope, mark)
        return APPLIED

    def _drop_covered_marks(self, scope: Scope, mark: Mark, marks: dict[str | None, Mark]) -> None:
        covered = [
            namespace
            for namespace, other in marks.items()
            if other.version <= mark.version and in_scope(scope, scope.user_id, namespace)
        ]
        for namespace in covered:
            del marks[namespace]
            self._decided.marks.pop(Scope(scope.user_id, namespace), None)
            self._decided.dropped_marks.add(Scope(scope.user_id, namespace))

    def _remove_covered_rows(self, scope: Scope, mark: Mark) -> None:
        covered = [
            address
            for address, head in self._heads.items()
            if head.version <= mark.version and in_scope(scope, address.user_id, address.namespace)
        ]
        for address in covered:
            del self._heads[address]
            self._decided.rows[address] = None


def _may_be_old(kind: Kind, present: Head | None, mark: Mark | None) -> bool:
    """Whether a row may come below the floor: what serves nothing, and what takes a live row's place."""
    if kind in {Kind.DELETED, Kind.EXPIRED}:
        return True
    if present is None or present.kind is not Kind.LIVE:
        return False
    return mark is None or mark.version < present.version
