"""Servers of one's own, in containers or as processes: whichever can be had, or the kind that is wanted."""

import contextlib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

from memlane.testing.servers.containers import NOT_INSTALLED, remove_leftovers
from memlane.testing.servers.docker import engine_problem
from memlane.testing.servers.errors import DockerFailed
from memlane.testing.servers.orphans import end_orphans
from memlane.testing.servers.private_rabbitmq import PrivateRabbitMQ
from memlane.testing.servers.private_redis import PrivateRedis
from memlane.testing.servers.server import Certificates, RabbitMQServer, RedisServer


class Hosting(StrEnum):
    """How servers of one's own run; the value is what `--services` takes."""

    CONTAINERS = "containers"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True)
class OwnServers:
    """Makes servers, not started yet; used as a context, each is started, and closed in the end.

    Attributes:
        hosting: How they run.
    """

    hosting: Hosting

    def rabbitmq(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        certificates: Certificates | None = None,
        schedulers: int | None = None,
    ) -> RabbitMQServer:
        """A RabbitMQ.

        Args:
            folder: Its own, for data or settings.
            settings: More lines of `rabbitmq.conf`.
            certificates: It also listens for TLS, on `tls_port`, and shows these.
            schedulers: How many processors it may keep busy; default: all.
        """
        if self.hosting is Hosting.PROCESSES:
            return PrivateRabbitMQ(
                folder, settings=settings, certificates=certificates, schedulers=schedulers
            )
        from memlane.testing.servers.container_rabbitmq import ContainerRabbitMQ  # noqa: PLC0415  an extra

        return ContainerRabbitMQ(folder, settings=settings, certificates=certificates, schedulers=schedulers)

    def redis(self, folder: Path, *, durable: bool = False, arguments: Sequence[str] = ()) -> RedisServer:
        """A Redis.

        Args:
            folder: Its own, for data or settings.
            durable: It keeps its data on disk.
            arguments: More arguments of `redis-server`.
        """
        if self.hosting is Hosting.PROCESSES:
            return PrivateRedis(folder, durable=durable, arguments=arguments)
        from memlane.testing.servers.container_redis import ContainerRedis  # noqa: PLC0415  as above

        return ContainerRedis(folder, durable=durable, arguments=arguments)


def own_servers(wanted: Hosting | None = None) -> OwnServers:
    """Servers of the kind that is wanted; else containers if an engine can run them; else processes.

    What processes that were killed have left of either kind is ended first.

    Raises:
        DockerFailed: containers are wanted, and can't be had.
    """
    end_orphans()
    if wanted is Hosting.PROCESSES:
        _remove_left_containers()
    else:
        problem = _container_problem()
        if problem is None:
            return OwnServers(Hosting.CONTAINERS)
        if wanted is Hosting.CONTAINERS:
            raise DockerFailed(
                "cannot run servers in containers",
                cause=problem,
                hint="start a Docker engine; where it can pull no image, run compose/make-images",
            )
    return OwnServers(Hosting.PROCESSES)


def _remove_left_containers() -> None:
    """Those of processes that were killed, also where none are to be made now."""
    if engine_problem() is None:
        with contextlib.suppress(ImportError, DockerFailed):
            remove_leftovers()


@functools.cache
def _container_problem() -> str | None:
    """Why servers can't run in containers here, or None where they can."""
    if (problem := engine_problem()) is not None:
        return problem
    try:
        from memlane.testing.servers.container import require_image  # noqa: PLC0415  an extra
        from memlane.testing.servers.container_rabbitmq import rabbitmq_image  # noqa: PLC0415
        from memlane.testing.servers.container_redis import redis_image  # noqa: PLC0415
    except ImportError:
        return NOT_INSTALLED
    try:
        for image in (rabbitmq_image(), redis_image()):
            require_image(image)
        remove_leftovers()
    except DockerFailed as error:
        return f"{error.what}: {error.cause}"
    return None
