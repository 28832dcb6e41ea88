"""The MCP sink on real servers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memlane.storage.mcp import McpSink
from memlane.storage.settings import SinkSettings
from memlane.testing.mcp_servers import SERVER_MEMORY, npm_command

MakeSink = Callable[..., McpSink]


@pytest.fixture(scope="session")
def npm_folder() -> Path:
    """Where Node's packages stay from run to run."""
    return Path(__file__).parents[3] / ".memlane" / "npm"


@pytest.fixture(scope="session")
def server_memory(npm_folder: Path) -> str:
    """The command line of the real server-memory."""
    return npm_command(SERVER_MEMORY, npm_folder)


@pytest.fixture
def make_sink(tmp_path: Path) -> MakeSink:
    """Makes a sink, not entered, in a folder of this test's own."""

    # Any: the settings check them.
    def make(command: str, **settings: Any) -> McpSink:
        options = {"mcp_command": command, "mcp_dir": tmp_path / "mcp", **settings}
        return McpSink.from_settings("mcp", SinkSettings(**options))

    return make
