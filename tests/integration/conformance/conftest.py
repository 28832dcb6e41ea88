"""Where the real sinks of these tests keep things."""

import sys
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from memlane.testing.mcp_servers import node
from memlane.testing.servers import RedisServer

# The documentation's examples are imported as `docs.examples`, however pytest was started.
sys.path.append(str(Path(__file__).parents[3]))

collect_ignore = ["test_mcp.py"] if node() is None else []

_numbers: Final = count(1)


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of a real Redis."""
    return redis_server.url


@pytest.fixture
def redis_prefix() -> str:
    """What only this test's keys begin with."""
    return f"conformance-{next(_numbers)}"
