"""What can go wrong, as types. The parts' own errors derive from these.

MemlaneError
├── InvalidInput (also a ValueError)   a field is not what the wire allows; nothing was sent or applied
│   ├── MalformedMessage               not even the envelope can be read
│   ├── VersionFromFuture              a version too far ahead of the clock that judges it
│   └── AccessDenied                   the account may not read or write there
├── BrokerError
│   ├── BrokerUnreachable              no connection; trying again later helps
│   ├── BrokerRefused                  the broker said no (credentials, rights); trying again does not help
│   ├── TopologyMismatch               a queue or an exchange is there with other arguments
│   ├── PublishFailed                  a message was refused, returned or not confirmed in time
│   │   └── PublishUnconfirmed          not confirmed in time: it may have arrived, or still arrive
│   └── PublishRefused                  the broker refuses this very message; trying again does not help
├── OutboxError
│   ├── OutboxFull                      as many bytes wait as may, or the oldest has waited too long
│   └── OutboxFailed                    the outbox's file can't be read or written
├── IncompleteAnswer                   nobody could say, or not in time
├── SinkError                          raised by sinks, see memlane.storage.errors
└── ConfigurationError                 a setting that can't work
"""

from typing import Final

MAX_ERROR_BYTES: Final = 1024
"""How much of an error's text travels in a header."""


class MemlaneError(Exception):
    """Something went wrong in memlane.

    Args:
        message: what was being done, to what, and why it failed.
        hint: what the reader can do about it; empty where there is nothing to do.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InvalidInput(MemlaneError, ValueError):
    """A field is not what the wire allows. `field` is its path, such as `commands.3.key`."""

    def __init__(self, field: str, problem: str, *, hint: str = "") -> None:
        super().__init__(f"{field}: {problem}", hint=hint)
        self.field = field
        self.problem = problem

    def inside(self, prefix: str) -> "InvalidInput":
        """The same error with its field seen from one level further out."""
        return type(self)(f"{prefix}.{self.field}" if self.field else prefix, self.problem, hint=self.hint)


class MalformedMessage(InvalidInput):
    """The envelope of a message can't be read, so the message is parked whole."""


class VersionFromFuture(InvalidInput):
    """A version is too far ahead of the clock that judges it; applied, it would win for ever."""


class AccessDenied(InvalidInput):
    """The account may not read or write there. The same again helps only after a change of the rules."""


class BrokerError(MemlaneError):
    """RabbitMQ did not do what was asked of it."""


class BrokerUnreachable(BrokerError):
    """RabbitMQ can't be reached. Trying again later helps."""


class BrokerRefused(BrokerError):
    """RabbitMQ refused the credentials or a right. Trying again does not help."""


class TopologyMismatch(BrokerError):
    """A queue or an exchange exists with other arguments than memlane's."""


class PublishFailed(BrokerError):
    """A message was refused, returned as unroutable, or not confirmed in time."""


class PublishUnconfirmed(PublishFailed):
    """A message was not confirmed in time. It may have arrived, and may still arrive."""


class PublishRefused(BrokerError):
    """RabbitMQ refuses this very message for good: publishing it again would come to the same.

    Args:
        message: as in `MemlaneError`.
        hint: as in `MemlaneError`.
        denied: it is the account that may not publish there, whatever the message.
    """

    def __init__(self, message: str, *, hint: str = "", denied: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.denied = denied


class OutboxError(MemlaneError):
    """A command could not be put into the outbox: nothing of it was kept."""


class OutboxFull(OutboxError):
    """The outbox holds as much as it may, or its oldest entry has waited for too long."""


class OutboxFailed(OutboxError):
    """The outbox's file can't be read or written."""


class IncompleteAnswer(MemlaneError):
    """Nobody could say, or not before the deadline. This is not the same as "not found"."""


class ConfigurationError(MemlaneError):
    """A setting that can't work."""


def loggable(error: BaseException) -> str:
    """What may be logged of an error: our own texts; of all others the type, for they may quote a value."""
    return str(error) if isinstance(error, MemlaneError) else type(error).__name__


def error_text(error: BaseException) -> str:
    """The error's text, cut to what a header may carry (1 KiB of UTF-8, never inside a character)."""
    return str(error).encode("utf-8", "replace")[:MAX_ERROR_BYTES].decode("utf-8", "ignore")
