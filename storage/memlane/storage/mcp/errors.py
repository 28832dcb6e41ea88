"""What an MCP server can do to a sink.

SinkUnavailable
└── SessionLost         the session ended in the middle of a call: the call may have been carried out or not
ToolFailed (an Exception)   the server answers, and says (or shows) that it did not do what it was asked
BatchBroke (an Exception)   a batch ends the session every time, although the server is well without it

The last two are no sink errors: a lane takes them for a fault of one of the batch's commands.
"""

from memlane.storage.errors import SinkUnavailable


class SessionLost(SinkUnavailable):
    """The session with the server ended before a call was answered."""

    shard = 0
    """The server's, where that is known."""


class ToolFailed(Exception):
    """The server did not do what a tool is for. Its own words are not told: they may hold a value."""

    shard = 0
    """The server's, where that is known."""


class BatchBroke(Exception):
    """The same calls ended the session twice, and the server takes others."""
