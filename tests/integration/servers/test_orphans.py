"""A run that was killed together with its guards leaves servers; the next one ends them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from memlane.testing.servers import PrivateRedis
from memlane.testing.servers.probes import redis_problem
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON

pytestmark = [pytest.mark.processes, pytest.mark.usefixtures("installed")]

_OWNER = """
import signal, sys
from pathlib import Path
from memlane.testing.servers import PrivateRedis

with PrivateRedis(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    signal.pause()
"""


def test_they_end_when_another_server_is_started(tmp_path: Path) -> None:
    """Elsewhere, by somebody else; servers whose owner lives stay."""
    with PrivateRedis(tmp_path / "living") as living:
        url = _left_behind(tmp_path / "left")
        assert redis_problem(url) is None
        with PrivateRedis(tmp_path / "next") as server:
            assert wait_until(lambda: redis_problem(url) is not None, within=SOON)
            assert redis_problem(server.url) is None
        assert redis_problem(living.url) is None


def _left_behind(folder: Path) -> str:
    """Starts a server, and kills its owner and its guard, the guard first."""
    command = [sys.executable, "-c", _OWNER, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as owner:  # noqa: S603  our own
        assert owner.stdout is not None
        url = owner.stdout.readline().strip()
        for pid in _guards_of(owner.pid):
            os.kill(pid, signal.SIGKILL)
        owner.kill()
    return url


def _guards_of(pid: int) -> list[int]:
    children = [
        int(one) for task in Path(f"/proc/{pid}/task").glob("*/children") for one in task.read_text().split()
    ]
    return [one for one in children if b"guarding" in Path(f"/proc/{one}/cmdline").read_bytes()]
