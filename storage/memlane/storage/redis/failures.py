"""What Redis' errors mean for a lane."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from redis import exceptions

from memlane.storage.errors import SinkBusy, SinkMisconfigured, SinkUnavailable

_DOWN: Final = {
    "OOM": "raise maxmemory, or remove what is not needed",
    "READONLY": "name the primary: this server is a replica, or was made one",
    "LOADING": "it reads its data from disk, and is ready after that",
    "MASTERDOWN": "this replica has lost its primary",
    "MISCONF": "free its disk: it refuses writes because it could not save its last snapshot",
    "NOREPLICAS": "start the replicas that min-replicas-to-write asks for",
    "CLUSTERDOWN": "the cluster is failing over, or slots are not served",
    "NOPERM": "give its user the right to run scripts, on all keys with the sink's prefix",
}
# At the front, or (before Redis 7) behind what a script says about itself.
_CODE: Final = re.compile(rf"(?:^|[ -])({'|'.join(_DOWN)}) ")
_DOWN_TYPES: Final[tuple[tuple[type[exceptions.RedisError], str], ...]] = (
    (exceptions.OutOfMemoryError, "OOM"),
    (exceptions.ReadOnlyError, "READONLY"),
    (exceptions.MasterDownError, "MASTERDOWN"),
    (exceptions.ClusterDownError, "CLUSTERDOWN"),
    (exceptions.NoPermissionError, "NOPERM"),
)
_UNREACHABLE: Final = (exceptions.ConnectionError, exceptions.TimeoutError, OSError)


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns Redis' errors into the sink's.

    Args:
        where: host and port, for messages. They never hold a credential.

    Raises:
        SinkUnavailable: it can't be reached, or takes no writes now. After a timeout it may have done what
            it was asked; asking again does no harm.
        SinkBusy: a script runs there for too long.
    """
    try:
        yield
    except exceptions.AuthenticationError as error:
        hint = "the user or the password has changed: correct MEMLANE_REDIS_URL"
        raise SinkUnavailable(f"Redis at {where} refused the login: {error}", hint=hint) from error
    except _UNREACHABLE as error:
        raise SinkUnavailable(f"can't reach Redis at {where}: {error}", hint="start it") from error
    except exceptions.ResponseError as error:
        if str(error).startswith("BUSY "):
            raise SinkBusy(f"Redis at {where}: {error}", hint="a script runs there for too long") from error
        code = _down_code(error)
        if code is not None:
            raise SinkUnavailable(f"Redis at {where}: {error}", hint=_DOWN[code]) from error
        raise


@contextmanager
def translated_at_start(where: str) -> Iterator[None]:
    """Like `translated`, but what only somebody can change is a matter of settings.

    Raises:
        SinkUnavailable: it can't be reached now, or is still loading.
        SinkMisconfigured: wrong credentials, missing rights, other data under the prefix, not a Redis.
    """
    try:
        with translated(where):
            yield
    except SinkUnavailable as error:
        if isinstance(error.__cause__, exceptions.AuthenticationError | exceptions.NoPermissionError):
            raise SinkMisconfigured(error.message, hint=error.hint) from error.__cause__
        raise
    except exceptions.RedisError as error:
        hint = "name a Redis of version 6.2 or newer in MEMLANE_REDIS_URL, with a prefix of its own"
        raise SinkMisconfigured(f"Redis at {where} answers: {error}", hint=hint) from error


def _down_code(error: exceptions.ResponseError) -> str | None:
    for kind, code in _DOWN_TYPES:
        if isinstance(error, kind):
            return code
    found = _CODE.search(str(error))
    return found[1] if found else None
