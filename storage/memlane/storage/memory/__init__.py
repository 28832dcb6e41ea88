"""The in-memory sink: a test double that is held to the same suite as the real sinks."""

from memlane.storage.memory.failing import FailingSink, Method
from memlane.storage.memory.sink import MemorySink

__all__ = ["FailingSink", "MemorySink", "Method"]
