"""Compares what the sinks hold, and repairs where they differ (anti-entropy).

`reconciler.py` (when) → `round.py` (one round) → `comparing.py` (what differs, a pure function) →
`repairs.py` (through the lanes). See docs/repair.md.
"""

from memlane.workers.reconciler.reconciler import Reconciler

__all__ = ["Reconciler"]
