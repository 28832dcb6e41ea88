"""The compose stack, as users start it: real containers of the images that it names."""

import json
import os
import re
import secrets
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from memlane.client import SyncMemoryClient
from memlane.producers.settings import ClientSettings
from memlane.testing.servers.processes import Identity

FILE: Final = Path(__file__).parents[2] / "compose" / "compose.yaml"
IMAGE: Final = "memlane:local"

_LIMIT: Final = timedelta(minutes=4)
_NAME: Final = re.compile(r"memlane-test-(?P<pid>\d+)-(?P<started>[0-9a-f]+)-[0-9a-f]+")
"""Of a project: whose it is, by process."""


class Stack:
    """One compose project, with volumes and accounts of its own.

    Args:
        name: of the project.
        folder: for clients' clocks.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.environment: dict[str, str] = {}
        self._folder = folder

    def compose(self, *arguments: str, check: bool = True) -> str:
        """Runs `docker compose` on the project; returns what it printed."""
        done = subprocess.run(  # noqa: S603  the tests' own arguments
            ["docker", "compose", "--file", str(FILE), "--project-name", self.name, *arguments],  # noqa: S607
            env={**os.environ, **self.environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=_LIMIT.total_seconds(),
        )
        if check and done.returncode != 0:
            raise AssertionError(f"docker compose {' '.join(arguments)}: {done.stderr[-2000:]}")
        return done.stdout

    def up(self, profile: str, *arguments: str) -> None:
        """Starts a profile, and returns when all of it is healthy."""
        self.compose("--profile", profile, "up", "--detach", "--wait", *arguments)

    def down(self, *arguments: str) -> None:
        """Stops all of it; volumes stay unless it is said otherwise."""
        self.compose("--profile", "*", "down", "--timeout", "30", *arguments)

    # Any: what docker says.
    def services(self) -> dict[str, list[dict[str, Any]]]:
        """The containers of each service."""
        found: dict[str, list[dict[str, Any]]] = {}
        for line in self.compose("--profile", "*", "ps", "--all", "--format", "json").splitlines():
            one = json.loads(line)
            found.setdefault(one["Service"], []).append(one)
        return found

    def password(self, account: str) -> str:
        """As the service `setup` made it."""
        return self.compose("run", "--rm", "--no-deps", "setup", "cat", f"/accounts/{account}").strip()

    def client(self) -> SyncMemoryClient:
        """A bot on this machine, with the producer's account."""
        place = self.compose("port", "rabbitmq", "5672").strip()
        url = f"amqp://producer:{self.password('producer')}@{place}/memlane"
        settings = ClientSettings(amqp_url=url, state_dir=self._folder, deadline="30s")
        return SyncMemoryClient(settings=settings)

    def control(self, *arguments: str) -> str:
        """Runs `rabbitmqctl`."""
        return self.compose("exec", "-T", "rabbitmq", "rabbitmqctl", "--quiet", *arguments)


def docker(*arguments: str) -> str:
    """Runs `docker`; returns what it printed."""
    return subprocess.run(  # noqa: S603  the tests' own arguments
        ["docker", *arguments],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
        timeout=_LIMIT.total_seconds(),
    ).stdout.strip()


def new_name() -> str:
    """Of a project that nobody else has, and that says whose it is."""
    return f"memlane-test-{os.getpid()}-{_started(os.getpid())}-{secrets.token_hex(4)}"


def remove_leftovers(folder: Path) -> list[str]:
    """Removes the projects of test runs that were killed; their names."""
    label = '{{.Label "com.docker.compose.project"}}'
    listed = [docker(kind, "ls", "--format", label) for kind in ("volume", "network")]
    names = set("\n".join([*listed, docker("ps", "--all", "--format", label)]).split())
    left = sorted(name for name in names if _is_left_over(name))
    for name in left:
        Stack(name, folder).down("--volumes", "--remove-orphans")
    return left


def _is_left_over(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and found["started"] != _started(int(found["pid"]))


def _started(pid: int) -> str:
    """What tells a process from later ones of that pid."""
    found = Identity.of(pid)
    return "0" if found is None else sha256(found.started.encode()).hexdigest()[:8]


@pytest.fixture(scope="session", autouse=True)
def _nothing_was_left(tmp_path_factory: pytest.TempPathFactory) -> None:
    remove_leftovers(tmp_path_factory.mktemp("leftovers"))


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A project that nobody else has; nothing of it is left."""
    stack = Stack(new_name(), tmp_path)
    try:
        yield stack
    finally:
        stack.down("--volumes", "--remove-orphans")
