"""What waits in an outbox."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["waiting", "aside"]
"""`aside`: the broker has refused it for good; it is kept for a person to see."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxStatus:
    """What waits for one broker and account.

    Attributes:
        waiting: commands that are to be sent.
        bytes: of those that wait.
        oldest: since when the first of them waits; None where none does.
        aside: commands that the broker has refused for good.
    """

    waiting: int = 0
    bytes: int = 0
    oldest: datetime | None = None
    aside: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxEntry:
    """One command in the outbox.

    Attributes:
        target: the account and broker that it is for.
        version: its id.
        command: encoded; holds the value.
        queued_at: since when it waits.
        state: whether it is to be sent.
        error: why it is aside.
    """

    target: str
    version: str
    command: bytes
    queued_at: datetime
    state: State
    error: str
