"""Commands as a producer would make them now, or by a clock that is wrong."""

import json
import os
import time
from datetime import datetime, timedelta
from typing import Any, Final

from memlane.contracts.canonical import Json
from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import encode_message
from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand
from memlane.contracts.limits import DEFAULT_NAMESPACE
from memlane.contracts.version import TAIL_BITS, make_version

USER: Final = "u"
_NOW: Final = timedelta(0)
_clock: Final = HybridClock()


def version(ahead: timedelta = _NOW) -> str:
    """A new version, newer than those before; or one of a clock that is so much ahead."""
    if ahead == _NOW:
        return _clock.next()
    milliseconds = time.time_ns() // 1_000_000 + ahead // timedelta(milliseconds=1)
    return make_version(milliseconds, int.from_bytes(os.urandom(10)) >> (80 - TAIL_BITS))


def store(
    key: str = "k",
    value: Json = "a value",
    *,
    user: str = USER,
    namespace: str = DEFAULT_NAMESPACE,
    ahead: timedelta = _NOW,
    expires_at: datetime | None = None,
) -> StoreCommand:
    """A store with a version of its own."""
    return StoreCommand(
        id=version(ahead),
        user_id=user,
        namespace=namespace,
        key=key,
        value_json=value,
        expires_at=expires_at,
    )


def delete(
    key: str = "k", *, user: str = USER, namespace: str = DEFAULT_NAMESPACE, ahead: timedelta = _NOW
) -> DeleteAddress:
    """A delete of one address."""
    return DeleteAddress(id=version(ahead), user_id=user, namespace=namespace, key=key)


def delete_namespace(namespace: str, *, user: str = USER) -> DeleteNamespace:
    """A delete of a namespace and all below it."""
    return DeleteNamespace(id=version(), user_id=user, namespace=namespace)


def forget(user: str = USER) -> DeleteUser:
    """A delete of everything of a user."""
    return DeleteUser(id=version(), user_id=user)


def message(*commands: AnyCommand) -> bytes:
    """The body of a message with these commands."""
    return encode_message(commands)


# Any: what is wrong about the fields is what a test is about.
def raw_store(**fields: Any) -> dict[str, Any]:
    """A store as a producer in another language would write it, with these fields changed or added."""
    return {"type": "store", "id": version(), "user_id": USER, "key": "k", "value": 1, **fields}


def raw_message(*commands: Any) -> bytes:
    """The body of a message with these raw commands, valid or not."""
    return json.dumps({"schema": 1, "commands": list(commands)}).encode()
