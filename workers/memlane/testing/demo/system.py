"""`memlane up` as a process of its own, and other commands beside it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final

from memlane.testing.demo.errors import DemoError
from memlane.testing.servers import Servers
from memlane.testing.servers.guard import Guard
from memlane.testing.servers.ports import LOOPBACK, free_ports
from memlane.testing.servers.processes import Identity, end_group, launch
from memlane.testing.servers.waiting import wait_until

SINKS: Final = ("sqlite", "redis")
MCP: Final = "mcp"
READY_LIMIT: Final = timedelta(seconds=60)
STOP_LIMIT: Final = timedelta(seconds=20)
COMMAND: Final = (sys.executable, "-P", "-m", "memlane.producers.cli.entry")

_PROBE_SECONDS: Final = 2.0
_LOG_LINES: Final = 12


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where this run of the demo has its data.

    Attributes:
        folder: temporary.
        servers: RabbitMQ and Redis.
        redis_prefix: what its keys in Redis begin with: nobody else's do.
        mcp_command: starts the MCP server server-memory; None where Node is not on the machine.
    """

    folder: Path
    servers: Servers
    redis_prefix: str
    mcp_command: str | None

    @property
    def sinks(self) -> tuple[str, ...]:
        """The sinks of this run."""
        return SINKS if self.mcp_command is None else (*SINKS, MCP)

    @property
    def sqlite_path(self) -> Path:
        """The SQLite sink's file."""
        return self.folder / "memory.db"

    @property
    def mcp_dir(self) -> Path:
        """The MCP sink's folder, with the server's own files."""
        return self.folder / "mcp"

    def environment(self) -> dict[str, str]:
        """For memlane's processes; nothing of it is the user's own."""
        outside = {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_")}
        return {
            **outside,
            **self.servers.environment(),
            "MEMLANE_SINKS": ",".join(self.sinks),
            **({} if self.mcp_command is None else {"MEMLANE_MCP_COMMAND": self.mcp_command}),
            "MEMLANE_MCP_DIR": str(self.mcp_dir),
            "MEMLANE_SQLITE_PATH": str(self.sqlite_path),
            "MEMLANE_REDIS_PREFIX": self.redis_prefix,
            "MEMLANE_STATE_DIR": str(self.folder / "state"),
            "MEMLANE_BACKUP_DIR": str(self.folder / "backups"),
        }


class RunningMemlane:
    """`memlane up`, and how it is.

    Args:
        process: of `memlane up`.
        port: where it serves `/livez` and `/readyz`.
        log: what it has written.
    """

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self._process = process
        self._port = port
        self._log = log

    def wait_until_ready(self) -> list[str]:
        """Returns the roles when all of them work.

        Raises:
            DemoError: it ended, or was not ready within a minute.
        """
        found: dict[str, Any] = {}  # Any: what JSON gave

        def settled() -> bool:
            nonlocal found
            found = self._readiness()
            return bool(found.get("ready")) or self._process.poll() is not None

        wait_until(settled, within=READY_LIMIT)
        if not found.get("ready"):
            raise self._failed(f"`memlane up` was not ready within {READY_LIMIT.seconds} s")
        return list(found["roles"])

    def stop(self) -> int:
        """Sends SIGTERM; returns the exit code.

        Raises:
            DemoError: it did not end in time.
        """
        self._process.terminate()
        try:
            return self._process.wait(STOP_LIMIT.total_seconds())
        except subprocess.TimeoutExpired:
            raise self._failed(f"`memlane up` did not stop within {STOP_LIMIT.seconds} s") from None

    def _readiness(self) -> dict[str, Any]:
        connection = HTTPConnection(LOOPBACK, self._port, timeout=_PROBE_SECONDS)
        try:
            connection.request("GET", "/readyz")
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
        except (OSError, HTTPException, ValueError):
            return {}
        finally:
            connection.close()
        return answer

    def _failed(self, what: str) -> DemoError:
        code = self._process.poll()
        ended = "" if code is None else f" (it ended with exit code {code})"
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
        return DemoError(f"{what}{ended}; the last lines of its log:\n  " + "\n  ".join(lines))


@contextmanager
def running_memlane(place: Place) -> Iterator[RunningMemlane]:
    """Starts `memlane up`. It ends with this, also when this process is killed."""
    (port,) = free_ports(1)
    log = place.folder / "memlane.log"
    environment = {**place.environment(), "MEMLANE_HEALTH_PORT": str(port)}
    guard = Guard(place.folder, remove=True)
    try:
        process = launch([*COMMAND, "up"], environment=environment, folder=place.folder, log=log)
        leader = Identity.of(process.pid)
        if leader is not None:
            guard.watch(leader)
        try:
            yield RunningMemlane(process, port, log)
        finally:
            if leader is not None and process.poll() is None:
                end_group(leader, grace=STOP_LIMIT)
            process.wait()
    finally:
        guard.dismiss()


def run_command(arguments: list[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Runs a command to its end. Its stderr is this process's: that is where progress bars go."""
    return subprocess.run(  # noqa: S603  # our own program
        [*COMMAND, *arguments], env=dict(environment), stdout=subprocess.PIPE, text=True, check=False
    )
