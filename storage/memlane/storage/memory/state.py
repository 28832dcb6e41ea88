"""What an in-memory sink holds: rows and marks by user, and their digests."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from uuid import uuid4

from memlane.contracts.address import Address
from memlane.contracts.command import AddressCommand, AnyCommand, StoreCommand
from memlane.contracts.fingerprint import address_hash, bucket_of
from memlane.storage.decide import Decided, Refuse, UserMarks, covering, decide
from memlane.storage.digesting import Tally
from memlane.storage.memory.ranking import Document, document
from memlane.storage.outcome import Outcome
from memlane.storage.rows import Head, Kind, Mark, Scope


class Row:
    """A version row; a live one has the command that it comes from as its content."""

    def __init__(self, head: Head, bucket: int, command: StoreCommand | None) -> None:
        self.head = head
        self.bucket = bucket
        self.command = command

    def is_live(self, as_of_us: int) -> bool:
        """Whether it has content that has not expired by then."""
        if self.command is None:
            return False
        expires = self.command.expires_us
        return expires is None or expires > as_of_us

    @cached_property
    def document(self) -> Document:
        """What a search finds a live row by. Made when it is first searched."""
        return document(self.command) if self.command is not None else Document({}, 0)


@dataclass(slots=True)
class MemoryState:
    """Everything that one store holds. Its methods never await, so each is one transaction."""

    incarnation: str = field(default_factory=lambda: str(uuid4()))
    changes: int = 0
    floor: str | None = None
    rows: dict[str, dict[Address, Row]] = field(default_factory=dict)
    marks: dict[str, dict[str | None, Mark]] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)
    purging: dict[Scope, None] = field(default_factory=dict)
    """Marks with rows under them that may still be there, oldest first."""

    def apply(
        self, commands: Sequence[AnyCommand], now_us: int, refuse: Refuse, *, repair: bool = False
    ) -> list[Outcome]:
        """Decides a batch and keeps what it comes to."""
        addresses = {c.address for c in commands if isinstance(c, AddressCommand)}
        heads = {address: row.head for address in addresses if (row := self.row(address)) is not None}
        marks = {user: self.marks_of(user) for user in {command.user_id for command in commands}}
        floor = None if repair else self.floor
        decided = decide(commands, heads, marks, now_us=now_us, refuse=refuse, floor=floor)
        self._keep(decided)
        return decided.outcomes

    def row(self, address: Address) -> Row | None:
        """The version row at an address."""
        return self.rows.get(address.user_id, {}).get(address)

    def marks_of(self, user_id: str) -> UserMarks:
        """A user's scope marks."""
        return self.marks.get(user_id, {})

    def visible(self, user_id: str, as_of_us: int) -> Iterator[tuple[Address, Row, StoreCommand]]:
        """A user's live rows that have not expired and that no mark covers."""
        marks = self.marks_of(user_id)
        for address, row in self.rows.get(user_id, {}).items():
            if row.command is not None and row.is_live(as_of_us) and not is_covered(address, row, marks):
                yield address, row, row.command

    def due(self, now_us: int) -> Iterator[tuple[Address, Row]]:
        """Live rows whose time has come."""
        for rows in self.rows.values():
            for address, row in rows.items():
                if row.head.kind is Kind.LIVE and not row.is_live(now_us):
                    yield address, row

    def covered(self) -> Iterator[Address]:
        """Rows that marks cover. When it ends, there are none."""
        for scope in list(self.purging):
            marks = self.marks_of(scope.user_id)
            for address, row in self.rows.get(scope.user_id, {}).items():
                if is_covered(address, row, marks):
                    yield address
            del self.purging[scope]

    def forgettable(self, floor: str) -> Iterator[Address | Scope]:
        """Rows that serve nothing and finished marks, older than that."""
        for rows in self.rows.values():
            for address, row in rows.items():
                if row.head.kind in {Kind.DELETED, Kind.EXPIRED} and row.head.version < floor:
                    yield address
        for user_id, marks in self.marks.items():
            for namespace, mark in marks.items():
                scope = Scope(user_id, namespace)
                if mark.version < floor and scope not in self.purging:
                    yield scope

    def put(self, address: Address, row: Row | None) -> None:
        """Sets, replaces or (None) removes the row at an address."""
        rows = self.rows.setdefault(address.user_id, {})
        old = rows.pop(address, None)
        if row is not None:
            rows[address] = row
        bucket = bucket_of(address_hash(*address))
        self.tally.row(address.user_id, bucket, old.head if old else None, row.head if row else None)

    def drop_marks(self, scopes: Iterable[Scope]) -> None:
        """Removes marks, and their share of the digests."""
        for scope in scopes:
            old = self.marks.get(scope.user_id, {}).pop(scope.namespace, None)
            self.purging.pop(scope, None)
            if old is not None:
                self.tally.mark(scope, old, None)

    def _keep(self, decided: Decided) -> None:
        for address, change in decided.rows.items():
            if change is None:
                self.put(address, None)
            else:
                head, command = change
                self.put(address, _new_row(address, head, command))
        self.drop_marks(decided.dropped_marks)
        for scope, mark in decided.marks.items():
            self.drop_marks([scope])
            self.marks.setdefault(scope.user_id, {})[scope.namespace] = mark
            self.tally.mark(scope, None, mark)
            self.purging[scope] = None
        if decided.rows or decided.marks:
            self.changes += 1


def is_covered(address: Address, row: Row, marks: UserMarks) -> bool:
    """Whether a mark of the user covers the row."""
    mark = covering(marks, address.namespace)
    return mark is not None and mark.version >= row.head.version


def _new_row(address: Address, head: Head, command: AnyCommand) -> Row:
    kept = command if head.kind is Kind.LIVE and isinstance(command, StoreCommand) else None
    return Row(head, bucket_of(address_hash(*address)), kept)
