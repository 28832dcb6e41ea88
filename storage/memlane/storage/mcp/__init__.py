"""The MCP sink."""

from memlane.storage.mcp.sink import McpSink

__all__ = ["McpSink"]
