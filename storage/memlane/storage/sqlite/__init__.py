"""The SQLite sink: durable, with full-text search; one file, no server."""

from memlane.storage.sqlite.sink import SqliteSink

__all__ = ["SqliteSink"]
