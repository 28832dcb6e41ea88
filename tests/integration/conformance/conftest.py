"""Where the real sinks of these tests keep things."""

import shlex
import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Final

import pytest

from memlane.testing.mcp_servers import node
from memlane.testing.servers import RedisServer
from memlane.testing.servers.waiting import wait_until
from tests.support.guarded import guarded
from tests.support.left_behind import SHARED
from tests.support.waiting import SOON

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


@pytest.fixture(scope="session")
def server_memories(server_memory: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The command line of server-memory, as a sink starts it; all of them run in one process.

    To start Node for each of some hundred tests takes longer than the tests.
    """
    folder = tmp_path_factory.mktemp("server-memories")
    SHARED.add(folder)
    node_, script = shlex.split(server_memory)
    support, path = Path(__file__).parents[2] / "support", folder / "socket"
    command = [node_, str(support / "many_servers.mjs"), script, str(path)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(  # noqa: S603
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        ) as process,
        guarded(process, folder),
    ):
        try:
            assert wait_until(path.exists, within=SOON), (folder / "log").read_text()
            yield shlex.join(
                [sys.executable, "-IS", str(support / "relay.py"), str(path), "MEMORY_FILE_PATH"]
            )
        finally:
            process.kill()
