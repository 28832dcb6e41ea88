"""What a sink must hold after a *set* of commands: the definition that sinks are compared to.

Written from the promise alone, without the sinks' code, and without any regard for speed.
"""

from collections.abc import Iterable
from datetime import datetime

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
from memlane.storage.rows import Kind, Scope

ScopeDelete = DeleteNamespace | DeleteUser


class Model:
    """The outcome of a set of commands: by address the newest, unless a mark is as new or newer."""

    def __init__(self, commands: Iterable[AnyCommand]) -> None:
        found = list(commands)
        scoped = [c for c in found if isinstance(c, DeleteNamespace | DeleteUser)]
        # A mark is kept unless another one covers its scope and is as new or newer.
        self.marks = {
            scope_of(mark): mark
            for mark in scoped
            if not any(covers(other, mark) and other.id >= mark.id and other != mark for other in scoped)
        }
        self.rows: dict[Address, AddressCommand] = {}
        for command in found:
            if isinstance(command, AddressCommand) and not self._is_covered(command):
                present = self.rows.get(command.address)
                if present is None or _rank(command) > _rank(present):
                    self.rows[command.address] = command

    def state(self, address: Address, as_of: datetime) -> tuple[str, str | None]:
        """State and version at an address."""
        row = self.rows.get(address)
        if row is not None:
            return "entry" if self.kind(row, as_of) is Kind.LIVE else "gone", row.id
        user_id, namespace, _ = address
        covering = [m.id for m in self.marks.values() if _takes(m, user_id, namespace.split("/"))]
        return ("gone", max(covering)) if covering else ("unknown", None)

    def live(self, user_id: str, as_of: datetime) -> list[StoreCommand]:
        """A user's live entries, newest first."""
        rows = [
            row
            for row in self.rows.values()
            if row.user_id == user_id and isinstance(row, StoreCommand) and self.kind(row, as_of) is Kind.LIVE
        ]
        return sorted(rows, key=lambda row: (row.id, row.namespace, row.key), reverse=True)

    def kind(self, row: AddressCommand, as_of: datetime) -> Kind:
        """What a row stands for."""
        if isinstance(row, DeleteAddress):
            return Kind.DELETED
        if isinstance(row, ExpiredStore):
            return Kind.EXPIRED
        return Kind.EXPIRED if row.expires_at is not None and row.expires_at <= as_of else Kind.LIVE

    def kept(self) -> set[tuple[Address | Scope, str, str]]:
        """Place, version and hash of every row and mark."""
        everything: list[tuple[Address | Scope, AnyCommand]] = [*self.rows.items(), *self.marks.items()]
        return {(place, command.id, command_hash(command)) for place, command in everything}

    def _is_covered(self, command: AddressCommand) -> bool:
        parts = command.namespace.split("/")
        return any(m.id >= command.id and _takes(m, command.user_id, parts) for m in self.marks.values())


def scope_of(mark: ScopeDelete) -> Scope:
    """What a mark covers."""
    return Scope(mark.user_id, mark.namespace if isinstance(mark, DeleteNamespace) else None)


def covers(mark: ScopeDelete, other: ScopeDelete) -> bool:
    """Whether a mark's scope takes in another one's."""
    if isinstance(other, DeleteUser):
        return isinstance(mark, DeleteUser) and mark.user_id == other.user_id
    return _takes(mark, other.user_id, other.namespace.split("/"))


def _takes(mark: ScopeDelete, user_id: str, parts: list[str]) -> bool:
    if mark.user_id != user_id:
        return False
    if isinstance(mark, DeleteUser):
        return True
    own = mark.namespace.split("/")
    return parts[: len(own)] == own


def _rank(command: AnyCommand) -> tuple[str, str]:
    return command.id, command_hash(command)
