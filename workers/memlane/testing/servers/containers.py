"""Servers as containers of a Docker engine, by this project's own compose file."""

import contextlib
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from memlane.testing.servers.docker import ASK_LIMIT, Docker, docker, engine_problem
from memlane.testing.servers.errors import DockerFailed
from memlane.testing.servers.found import Attempt, Found, How, Source
from memlane.testing.servers.guard import Guard
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.probes import PROBES, Probe
from memlane.testing.servers.waiting import wait_until

START_LIMIT = timedelta(minutes=5)  # pulling the images is part of it
READY_LIMIT = timedelta(seconds=60)

# The service in the compose file, the port inside its container, and the URL that its published port makes.
_SERVICES: Mapping[Kind, tuple[str, int, str]] = MappingProxyType(
    {
        Kind.RABBITMQ: ("rabbitmq", 5672, "amqp://guest:guest@{}/"),
        Kind.REDIS: ("redis", 6379, "redis://{}/0"),
    }
)

_LEVELS_TO_ROOT = 4  # workers/memlane/testing/servers/containers.py


def compose_file() -> Path | None:
    """This project's compose file, where the code runs from a checkout."""
    file = Path(__file__).resolve().parents[_LEVELS_TO_ROOT] / "compose" / "compose.yaml"
    return file if file.is_file() else None


class Project:
    """One compose project: containers with volumes and a network of their own.

    Args:
        name: Its name, by which Docker tells it from every other.
        file: The compose file.
        run: Runs docker.
        check: Say why a server does not serve.
    """

    def __init__(
        self, name: str, file: Path, *, run: Docker = docker, check: Mapping[Kind, Probe] = PROBES
    ) -> None:
        self._name, self._file, self._run, self._check = name, file, run, check

    def start(self, kinds: Sequence[Kind]) -> tuple[Found, ...]:
        """Start these servers on free ports, and wait until they serve. What fails to start is removed again.

        Raises:
            DockerFailed: They could not be started, or one did not serve within a minute.
        """
        try:
            self._require_compose()
            services = [_SERVICES[kind][0] for kind in kinds]
            self._compose(["up", "--detach", "--no-build", *services], START_LIMIT)
            return tuple(self._await(kind) for kind in kinds)
        except BaseException:
            with contextlib.suppress(DockerFailed):  # the first failure is what to tell
                self.stop()
            raise

    def stop(self) -> None:
        """Stop the containers, and remove them with their volumes and network.

        Raises:
            DockerFailed: They may still be there.
        """
        self._compose(["down", "--volumes", "--timeout", "5"], READY_LIMIT)

    def _require_compose(self) -> None:
        try:
            self._run(["compose", "version"], ASK_LIMIT)
        except DockerFailed as error:
            raise DockerFailed(error.what, cause="there is no `docker compose`", hint=error.hint) from error

    def _await(self, kind: Kind) -> Found:
        service, port, form = _SERVICES[kind]
        url = form.format(self._compose(["port", service, str(port)], ASK_LIMIT))
        if not wait_until(lambda: self._check[kind](url) is None, within=READY_LIMIT):
            raise DockerFailed(
                f"could not start {kind} in a container",
                cause=f"it does not serve at {url}: {self._check[kind](url)}",
                hint=f"`docker compose logs {service}` shows what it says",
            )
        return Found(kind=kind, url=url, how=How.DOCKER, project=self._name)

    def _compose(self, arguments: Sequence[str], limit: timedelta) -> str:
        return self._run(
            ["compose", "--file", str(self._file), "--project-name", self._name, *arguments], limit
        )


def docker_source(
    file: Path | None,
    *,
    tell: Callable[[str], None],
    detached: bool = False,
    run: Docker = docker,
    check: Mapping[Kind, Probe] = PROBES,
) -> Source:
    """Containers of this machine's Docker engine.

    Args:
        file: The compose file, or None where there is none.
        tell: Told when an engine answers and yet cannot run the servers.
        detached: They are meant to outlive this process; otherwise a guard removes them when it dies.
        run: Runs docker.
        check: Say why a server does not serve.
    """

    def look(kinds: Sequence[Kind]) -> Attempt:
        if file is None:
            return Attempt(reason="no Docker: the compose file is not part of an installed package")
        if (problem := engine_problem(run)) is not None:
            return Attempt(reason=f"no Docker: {problem}")
        name = f"memlane-{secrets.token_hex(4)}"
        project = Project(name, file, run=run, check=check)
        with contextlib.ExitStack() as stack:
            if not detached:
                guard = Guard(file.parent)
                stack.callback(guard.dismiss)
                guard.watch_project(name, file)
            try:
                found = project.start(kinds)
            except DockerFailed as error:
                reason = f"a Docker engine answers but cannot run {' or '.join(kinds)}: {error.cause}"
                tell(f"warning: {reason}. Looking further.")
                return Attempt(reason=reason)
            stack.callback(project.stop)
            return Attempt(found=found, stop=stack.pop_all().close)

    return look
