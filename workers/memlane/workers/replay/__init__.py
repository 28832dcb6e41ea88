"""Reading a stretch of the command log to one lane, for an operator: `memlane replay`."""

from memlane.workers.replay.replay import Replay, ReplayReport
from memlane.workers.replay.wanted import Wanted

__all__ = ["Replay", "ReplayReport", "Wanted"]
