"""How a role is doing: for readiness, for `memlane status`, for the log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Condition = Literal["starting", "running", "waiting", "paused", "stopped"]
"""`waiting`: for a server that is away. `paused`: by itself, because something is wrong here."""


@dataclass(slots=True)
class RoleState:
    """One role's condition, and why it is not running if it is not."""

    role: str
    condition: Condition = "starting"
    reason: str = ""
    on_change: Callable[["RoleState"], None] = lambda _state: None

    def to(self, condition: Condition, reason: str = "") -> None:
        """Changes the condition; whoever listens is told once a change."""
        if (condition, reason) == (self.condition, self.reason):
            return
        self.condition, self.reason = condition, reason
        self.on_change(self)

    @property
    def ready(self) -> bool:
        """Whether it does its work now."""
        return self.condition == "running"
