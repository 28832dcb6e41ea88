"""What only the command line raises.

MemlaneError
└── NotFound    what was asked for is not there, and the answer is a complete one
"""

from memlane.contracts.errors import MemlaneError


class NotFound(MemlaneError):
    """What was asked for is not there."""
