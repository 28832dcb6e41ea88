"""A Redis in a container."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

from testcontainers.core.container import DockerContainer

from memlane.testing.servers.container import ContainerServer
from memlane.testing.servers.probes import redis_problem
from memlane.testing.servers.server import RedisServer

IMAGE_VARIABLE: Final = "REDIS_IMAGE"
IMAGE: Final = "redis:8.0"

_PORT: Final = 6379
_PROBE_LIMIT: Final = timedelta(seconds=2)


class ContainerRedis(ContainerServer, RedisServer):
    """A Redis in a container, which keeps nothing on disk unless told to, and never evicts.

    Args:
        data_dir: A folder of its own.
        durable: Keep an append-only file, so that a restart finds the data again.
        arguments: More arguments of `redis-server`, which win over these: `("--maxmemory", "10mb")`, say.
        image: Default: the variable REDIS_IMAGE, else `IMAGE`.
        detached: The server is meant to outlive this process.
        kept_for: The folder to which its data belongs; without one, it is removed with the container.
    """

    data_inside = "/data"

    def __init__(
        self,
        data_dir: Path,
        *,
        durable: bool = False,
        arguments: Sequence[str] = (),
        image: str | None = None,
        detached: bool = False,
        kept_for: Path | None = None,
    ) -> None:
        image = image or redis_image()
        super().__init__(data_dir, image=image, inner_ports=[_PORT], detached=detached, kept_for=kept_for)
        self._durable = durable
        self._arguments = tuple(arguments)

    def _make(self) -> DockerContainer:
        command = ["redis-server", "--save", "", "--appendonly", "yes" if self._durable else "no"]
        command += ["--maxmemory-policy", "noeviction", *self._arguments]
        return DockerContainer(self.image).with_command(command)

    def _problem(self) -> str | None:
        return redis_problem(self.url, limit=_PROBE_LIMIT)


def redis_image() -> str:
    """The image by which containers are made where nothing else is said."""
    return os.environ.get(IMAGE_VARIABLE, "").strip() or IMAGE
