"""What a sink can raise.

SinkError (a MemlaneError)
├── SinkUnavailable     the backend is down or can't be reached: the lane waits, no retry is burnt
├── SinkBusy            this batch could not be applied now: tried again at once, then the lane waits
├── SinkMisconfigured   the backend's settings can't work: starting fails, with what to change
└── SinkUnknown         no such sink is installed

Any other exception out of `apply` is taken for a fault of one of the batch's commands: the batch is
halved until the culprit is alone.
"""

from memlane.contracts.errors import MemlaneError


class SinkError(MemlaneError):
    """A sink could not do what was asked of it."""


class SinkUnavailable(SinkError):
    """The backend is down or can't be reached. Nothing of the batch was applied, or all of it was."""


class SinkBusy(SinkError):
    """The backend is up but could not take this batch now, such as a lock held for too long."""


class SinkMisconfigured(SinkError):
    """The backend's settings can't work."""


class SinkUnknown(SinkError):
    """No sink of that name is installed."""
