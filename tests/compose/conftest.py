"""The compose stack, as users start it: real containers of the images that it names."""

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from memlane.client import SyncMemoryClient
from memlane.producers.settings import ClientSettings

FILE: Final = Path(__file__).parents[2] / "compose" / "compose.yaml"
IMAGE: Final = "memlane:local"

_LIMIT: Final = timedelta(minutes=4)


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


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A project that nobody else has; nothing of it is left."""
    stack = Stack(f"memlane-test-{secrets.token_hex(4)}", tmp_path)
    try:
        yield stack
    finally:
        stack.down("--volumes", "--remove-orphans")
