"""How the command line ends. The only place where an error becomes a number.

By the name of the error's type, nearest first: the sinks' errors live where producers may not import.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
INCOMPLETE: Final = 3
"""Nobody could say, or not everybody that was asked."""

NOT_FOUND: Final = 4
UNREACHABLE: Final = 5
"""The broker, or at start a sink, does not answer; the same command may work later."""

INTERRUPTED: Final = 130
"""By Ctrl-C, as shells have it."""

BROKEN_PIPE: Final = 141
"""Whoever read the output went away (`| head`), as shells have it."""

BY_ERROR: Final[Mapping[str, int]] = MappingProxyType(
    {
        "MemlaneError": FAILED,
        "InvalidInput": USAGE,
        "AccessDenied": FAILED,
        "IncompleteAnswer": INCOMPLETE,
        "NotFound": NOT_FOUND,
        "BrokerUnreachable": UNREACHABLE,
        "SinkUnavailable": UNREACHABLE,
    }
)


def exit_code_of(error: BaseException) -> int:
    """The exit code for an error; 1 for whatever is not in the table."""
    return next(
        (BY_ERROR[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in BY_ERROR), FAILED
    )
