"""An MCP server over stdio that starts, names server-memory's tools, and never answers a call.

By hand, on the standard library alone: so that its starts, again and again, cost the measured system nothing.
"""

import json
import sys
from typing import Any, Final

TOOLS: Final = {
    "open_nodes": "names",
    "create_entities": "entities",
    "delete_entities": "entityNames",
    "add_observations": "observations",
    "delete_observations": "deletions",
}


# Any: JSON-RPC.
def answer(request: dict[str, Any]) -> dict[str, Any] | None:
    """The result of a request; None for what is not answered."""
    if request["method"] == "initialize":
        return {
            "protocolVersion": request["params"]["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "hanging", "version": "1"},
        }
    if request["method"] == "tools/list":
        return {"tools": [_tool(name, argument) for name, argument in TOOLS.items()]}
    return None


def _tool(name: str, argument: str) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object", "properties": {argument: {"type": "array"}}}}


def main() -> None:
    """Serves until its input ends."""
    for line in sys.stdin:
        request = json.loads(line)
        result = answer(request)
        if result is not None:
            sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
