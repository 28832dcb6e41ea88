"""Commands at moments that a test names: whole seconds after `moment(0)`, all in the past of `NOW`."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json
from memlane.contracts.command import (
    DeleteAddress,
    DeleteNamespace,
    DeleteUser,
    ExpiredStore,
    StoreCommand,
)
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import to_microseconds
from memlane.contracts.limits import DEFAULT_IMPORTANCE, DEFAULT_NAMESPACE
from memlane.contracts.version import make_version

_START: Final = datetime(2026, 1, 31, 8, 30, tzinfo=UTC)
NOW: Final = _START + timedelta(hours=6)
"""The instant at which sinks are asked, where a test says no other."""

USER: Final = "u"


def moment(at: float) -> datetime:
    """The instant so many seconds after the start."""
    return _START + timedelta(seconds=at)


def version(at: float, tail: int = 0) -> str:
    """The version of that moment, to the millisecond; the tail tells versions of one moment apart."""
    return make_version(to_microseconds(moment(at)) // 1000, tail)


def address(key: str = "k", *, user: str = USER, namespace: str = DEFAULT_NAMESPACE) -> Address:
    """An address."""
    return Address(user, namespace, key)


def store(
    key: str = "k",
    value: Json = "a value",
    *,
    at: float = 1,
    user: str = USER,
    namespace: str = DEFAULT_NAMESPACE,
    tags: Iterable[str] = (),
    importance: int = DEFAULT_IMPORTANCE,
    session: str | None = None,
    project: str | None = None,
    metadata: dict[str, Json] | None = None,
    created_at: datetime | None = None,
    expires_at: datetime | None = None,
) -> StoreCommand:
    """A store whose version is of the moment `at`."""
    return StoreCommand(
        id=version(at),
        user_id=user,
        namespace=namespace,
        key=key,
        value_json=value,
        tags=tuple(tags),
        importance=importance,
        session_id=session,
        project_id=project,
        metadata_json=metadata or {},  # type: ignore[arg-type]  # taken as an object, kept as its text
        created_at=created_at,
        expires_at=expires_at,
    )


def delete(
    key: str = "k", *, at: float, user: str = USER, namespace: str = DEFAULT_NAMESPACE
) -> DeleteAddress:
    """A delete of one address."""
    return DeleteAddress(id=version(at), user_id=user, namespace=namespace, key=key)


def delete_namespace(namespace: str, *, at: float, user: str = USER) -> DeleteNamespace:
    """A delete of a namespace and all below it."""
    return DeleteNamespace(id=version(at), user_id=user, namespace=namespace)


def forget(user: str = USER, *, at: float) -> DeleteUser:
    """A delete of everything of a user."""
    return DeleteUser(id=version(at), user_id=user)


def expired(command: StoreCommand) -> ExpiredStore:
    """What is left of a store whose time has come, as one sink tells another."""
    return ExpiredStore(
        id=command.id,
        user_id=command.user_id,
        namespace=command.namespace,
        key=command.key,
        hash=command_hash(command),
    )
