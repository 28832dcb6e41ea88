"""What Redis' errors mean, by their texts: those of Redis 7, and those of 6.2 from inside a script."""

from collections.abc import Callable

import pytest
from redis import exceptions

from memlane.storage.errors import SinkBusy, SinkMisconfigured, SinkUnavailable
from memlane.storage.redis.failures import translated, translated_at_start

INSIDE = "Error running script (call to f_3c2a): @user_script:4: "


def _raise(error: Exception) -> None:
    with translated("host:1"):
        raise error


def _raise_at_start(error: Exception) -> None:
    with translated_at_start("host:1"):
        raise error


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectionError("Connection refused"),
        exceptions.TimeoutError("Timeout reading from host:1"),
        exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        exceptions.ReadOnlyError("You can't write against a read only replica."),
        exceptions.NoPermissionError("this user has no permissions"),
        exceptions.ResponseError(f"{INSIDE}-OOM command not allowed when used memory > 'maxmemory'."),
        exceptions.ResponseError(f"{INSIDE}-READONLY You can't write against a read only replica."),
        exceptions.ResponseError("MISCONF Redis is configured to save RDB snapshots"),
        exceptions.ResponseError("NOREPLICAS Not enough good replicas to write."),
        exceptions.ResponseError("MASTERDOWN Link with MASTER is down"),
        OSError("no route to host"),
    ],
)
@pytest.mark.parametrize("raise_", [_raise, _raise_at_start])
def test_a_backend_that_takes_no_writes_is_unavailable(
    raise_: Callable[[Exception], None], error: Exception
) -> None:
    """The message names host and port and keeps the cause; missing rights are a setting's fault at start."""
    at_start = raise_ is _raise_at_start and isinstance(error, exceptions.NoPermissionError)
    with pytest.raises(SinkMisconfigured if at_start else SinkUnavailable, match="host:1") as caught:
        raise_(error)
    assert caught.value.__cause__ is error
    assert caught.value.hint


def test_a_wrong_password_is_unavailable_while_running_and_misconfigured_at_start() -> None:
    """Running, it is no fault of the batch: no command may be parked for it."""
    error = exceptions.AuthenticationError("invalid username-password pair or user is disabled.")
    with pytest.raises(SinkUnavailable):
        _raise(error)
    with pytest.raises(SinkMisconfigured):
        _raise_at_start(error)


def test_a_script_that_runs_for_long_is_busy() -> None:
    """A later try may work."""
    with pytest.raises(SinkBusy):
        _raise(exceptions.ResponseError("BUSY Redis is busy running a script."))


def test_all_else_propagates() -> None:
    """It may be a fault of one of the commands; at the start it is a setting's."""
    error = exceptions.ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value")
    with pytest.raises(exceptions.ResponseError, match="WRONGTYPE"):
        _raise(error)
    with pytest.raises(SinkMisconfigured, match="WRONGTYPE"):
        _raise_at_start(error)
    with pytest.raises(ZeroDivisionError):
        _raise(ZeroDivisionError())
