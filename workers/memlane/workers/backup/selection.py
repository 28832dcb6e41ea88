"""Which part is meant: of one user, of a namespace and all below it, or everything."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from memlane.contracts.command import AnyCommand, DeleteUser
from memlane.contracts.identifiers import Identifier, Namespace, is_within
from memlane.contracts.validation import validate
from memlane.storage.decide import covering
from memlane.storage.rows import Mark, Scope
from memlane.workers.backup.format import Unread

_USER: Final[TypeAdapter[str]] = TypeAdapter(Identifier)
_NAMESPACE: Final[TypeAdapter[str]] = TypeAdapter(Namespace)


@dataclass(frozen=True, slots=True)
class Selection:
    """A part of what there is.

    Attributes:
        user_id: only of this user; None: of all.
        namespace: only in it and below it; None: in all.
    """

    user_id: str | None = None
    namespace: str | None = None

    def takes(self, user_id: str, namespace: str | None) -> bool:
        """Whether all of a namespace (None: all of a user) is in it."""
        if self.user_id not in (None, user_id):
            return False
        return self.namespace is None or (namespace is not None and is_within(namespace, self.namespace))

    def takes_record(self, record: AnyCommand | Unread) -> bool:
        """Whether what a command is about is in it."""
        return self.takes(record.user_id, None if isinstance(record, DeleteUser) else record.namespace)

    def __str__(self) -> str:
        user = "" if self.user_id is None else f" of {self.user_id}"
        namespace = "" if self.namespace is None else f" in {self.namespace} and below"
        return f"everything{user}{namespace}"


def selection_of(user_id: str | None, namespace: str | None) -> Selection:
    """The part that `--user` and `--namespace` say.

    Raises:
        InvalidInput: names the option.
    """
    if user_id is not None:
        validate(_USER, user_id, "--user")
    if namespace is not None:
        validate(_NAMESPACE, namespace, "--namespace")
    return Selection(user_id, namespace)


class Marks:
    """Scope marks, and what they cover."""

    def __init__(self) -> None:
        self._by_user: dict[str, dict[str | None, Mark]] = {}

    def add(self, scope: Scope, mark: Mark) -> None:
        """Takes a mark; of two with the same scope, the newer one counts."""
        of_user = self._by_user.setdefault(scope.user_id, {})
        of_user[scope.namespace] = max(mark, of_user.get(scope.namespace, mark))

    def over(self, user_id: str, namespace: str) -> str | None:
        """The version of the newest mark that covers a namespace of a user; None where none does."""
        found = covering(self._by_user.get(user_id, {}), namespace)
        return None if found is None else found.version
