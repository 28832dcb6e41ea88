"""The lane: one sink's write queue, and what is done with the commands on it.

`delivery.py` (a message and its commands) → `gathering.py` (batches) → `applying.py` (into the sink, a
failing batch halved) → `settling.py` (park, retry, receipts, ack), all put together in `lane.py`.
"""

from memlane.workers.lane.lane import Lane

__all__ = ["Lane"]
