"""The MCP sink on real servers."""

import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memlane.storage.mcp import McpSink
from memlane.storage.settings import SinkSettings
from memlane.testing.mcp_servers import MEMORY_BANK, node, npm_command
from tests.support.mcp_servers import NPM_FOLDER

collect_ignore = (
    ["test_lost_stores.py", "test_memory_bank.py", "test_server_memory.py"] if node() is None else []
)

MakeSink = Callable[..., McpSink]


@pytest.fixture
def make_sink(tmp_path: Path) -> MakeSink:
    """Makes a sink, not entered, in a folder of this test's own."""

    # Any: the settings check them.
    def make(command: str, **settings: Any) -> McpSink:
        options = {"mcp_command": command, "mcp_dir": tmp_path / "mcp", **settings}
        return McpSink.from_settings("mcp", SinkSettings(**options))

    return make


@pytest.fixture(scope="session")
def memory_bank() -> str:
    """The command line of the real memory-bank-mcp."""
    return npm_command(MEMORY_BANK, NPM_FOLDER)


@pytest.fixture(scope="session")
def extended_memory() -> str:
    """The command line of the real extended-memory-mcp."""
    return shlex.join([sys.executable, "-m", "extended_memory_mcp.server"])


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """The file in which a server that misbehaves looks for its orders."""
    return tmp_path / "orders.json"
