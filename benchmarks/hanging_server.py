"""An MCP server with server-memory's tools, each of which never answers: for `mcp_broken`."""

import anyio
from mcp.server.mcpserver import MCPServer

server = MCPServer("hanging")


@server.tool()
async def open_nodes(names: list[str]) -> str:  # noqa: ARG001
    """Hangs."""
    return await _never()


@server.tool()
async def create_entities(entities: list[dict[str, object]]) -> str:  # noqa: ARG001
    """Hangs."""
    return await _never()


@server.tool()
async def delete_entities(entityNames: list[str]) -> str:  # noqa: ARG001, N803
    """Hangs."""
    return await _never()


@server.tool()
async def add_observations(observations: list[dict[str, object]]) -> str:  # noqa: ARG001
    """Hangs."""
    return await _never()


@server.tool()
async def delete_observations(deletions: list[dict[str, object]]) -> str:  # noqa: ARG001
    """Hangs."""
    return await _never()


async def _never() -> str:
    await anyio.sleep_forever()
    return ""


if __name__ == "__main__":
    server.run("stdio")
