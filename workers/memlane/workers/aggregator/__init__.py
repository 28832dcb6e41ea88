"""Asks the sinks' responders on a client's behalf, and merges: one question, one answer."""

from memlane.workers.aggregator.aggregator import Aggregator

__all__ = ["Aggregator"]
