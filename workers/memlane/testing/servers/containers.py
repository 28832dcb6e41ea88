"""Servers as containers of a Docker engine; and removing what processes that died have left of them."""

import contextlib
from collections.abc import Callable, Sequence
from http import HTTPStatus
from pathlib import Path

from memlane.testing.servers.docker import Docker, docker, engine_problem
from memlane.testing.servers.errors import DockerFailed, ServerStartFailed
from memlane.testing.servers.found import Attempt, Found, How, Source
from memlane.testing.servers.kinds import Kind

NOT_INSTALLED = "the package testcontainers is not installed: it comes with `memlane[testing]`"

Start = Callable[[Sequence[Kind]], Attempt]
"""Starts servers, or raises DockerFailed, ServerStartFailed, or ImportError where packages are missing."""


def docker_source(
    data_dir: Path,
    *,
    tell: Callable[[str], None],
    detached: bool = False,
    durable: bool = False,
    run: Docker = docker,
    start: Start | None = None,
) -> Source:
    """Containers of this machine's Docker engine.

    Args:
        data_dir: Each gets a folder in it, for what it is configured by.
        tell: Told when an engine answers and yet cannot run the servers.
        detached: They are meant to outlive this process; otherwise they are removed when it dies.
        durable: Their data outlives them, in named volumes, which the next ones for this folder find again.
        run: Runs docker.
        start: Starts servers; default: containers, by testcontainers.
    """

    def look(kinds: Sequence[Kind]) -> Attempt:
        if (problem := engine_problem(run)) is not None:
            return Attempt(reason=f"no Docker: {problem}")
        try:
            return start(kinds) if start else _started(kinds, data_dir, detached=detached, durable=durable)
        except ImportError:
            reason = f"a Docker engine answers, but {NOT_INSTALLED}"
        except (DockerFailed, ServerStartFailed) as error:
            reason = f"a Docker engine answers but cannot run {' or '.join(kinds)}: {error.cause}"
        tell(f"warning: {reason}. Looking further.")
        return Attempt(reason=reason)

    return look


def _started(kinds: Sequence[Kind], data_dir: Path, *, detached: bool, durable: bool) -> Attempt:
    # Only where there is an engine: the packages are not everybody's.
    from memlane.testing.servers.container_rabbitmq import ContainerRabbitMQ  # noqa: PLC0415
    from memlane.testing.servers.container_redis import ContainerRedis  # noqa: PLC0415

    remove_leftovers()
    kept_for = data_dir if durable else None
    found: list[Found] = []
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            server = (
                ContainerRabbitMQ(data_dir / "rabbitmq-container", detached=detached, kept_for=kept_for)
                if kind is Kind.RABBITMQ
                else ContainerRedis(
                    data_dir / "redis-container", detached=detached, durable=durable, kept_for=kept_for
                )
            )
            stack.callback(server.close)
            server.start()
            found.append(Found(kind=kind, url=server.url, how=How.DOCKER, container=server.container_id))
        return Attempt(found=tuple(found), stop=stack.pop_all().close)


def remove_leftovers() -> list[str]:
    """Remove the containers whose process has died without doing so.

    Returns:
        Their ids.

    Raises:
        DockerFailed: The engine does not answer.
    """
    from memlane.testing.servers.container import OWNER, engine, is_left_over  # noqa: PLC0415  as above

    with engine() as client:
        left = [
            one
            for one in client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)
            if is_left_over(one.labels.get(OWNER, ""))
        ]
    return [str(one.id) for one in left if remove_container(str(one.id))]


def remove_container(container_id: str) -> bool:
    """Remove a container, with its data unless that is kept; tells whether it was there.

    Raises:
        DockerFailed: The engine does not answer.
    """
    from docker.errors import APIError  # noqa: PLC0415  as above

    from memlane.testing.servers.container import engine  # noqa: PLC0415
    from memlane.testing.servers.container_volume import remove  # noqa: PLC0415

    with engine() as client:
        try:
            remove(client.containers.get(container_id))
        except APIError as error:
            # It is gone, or somebody else is removing it now.
            if error.status_code in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                return False
            raise
        return True
