"""A RabbitMQ in a container."""

import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Final

from testcontainers.core.container import DockerContainer

from memlane.testing.servers.container import ContainerServer
from memlane.testing.servers.errors import ServerError
from memlane.testing.servers.probes import amqp_problem
from memlane.testing.servers.server import Certificates, RabbitMQServer, scheduler_arguments

IMAGE_VARIABLE: Final = "RABBITMQ_IMAGE"
IMAGE: Final = "rabbitmq:4.0"

_PORT: Final = 5672
_TLS_PORT: Final = 5671
_INSIDE: Final = PurePosixPath("/etc/rabbitmq/tls")
_CONFIGURATION: Final = PurePosixPath("/etc/rabbitmq/conf.d/90-memlane.conf")
_PROBE_LIMIT: Final = timedelta(seconds=2)
_SETTINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "loopback_users.guest": "false",
        # Kept small, so that an ordinary disk does.
        "disk_free_limit.absolute": "50MB",
        "raft.wal_max_size_bytes": "67108864",
    }
)


class ContainerRabbitMQ(ContainerServer, RabbitMQServer):
    """A RabbitMQ node in a container: user `guest`, password `guest`.

    Args:
        data_dir: A folder for its settings.
        settings: More lines of `rabbitmq.conf`.
        certificates: It also listens for TLS, on `tls_port`, and shows these.
        schedulers: How many processors it may keep busy; default: all.
        image: Default: the variable RABBITMQ_IMAGE, else `IMAGE`.
        detached: The server is meant to outlive this process.
        kept_for: The folder to which its data belongs; without one, it is removed with the container.
    """

    data_inside = "/var/lib/rabbitmq"
    hostname = "rabbitmq"  # the node is named after the host, and its data directory after the node

    def __init__(
        self,
        data_dir: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        certificates: Certificates | None = None,
        schedulers: int | None = None,
        image: str | None = None,
        detached: bool = False,
        kept_for: Path | None = None,
    ) -> None:
        ports = [_PORT] if certificates is None else [_PORT, _TLS_PORT]
        image = image or rabbitmq_image()
        super().__init__(data_dir, image=image, inner_ports=ports, detached=detached, kept_for=kept_for)
        self._settings = {**_SETTINGS, **settings}
        self._certificates = certificates
        self._schedulers = schedulers

    @property
    def tls_port(self) -> int:
        """See `RabbitMQServer.tls_port`."""
        return self._ports[1]

    def control(self, *arguments: str) -> str:
        """See `RabbitMQServer.control`."""
        code, said = self.run_inside("rabbitmqctl", "--quiet", *arguments)
        if code != 0:
            raise ServerError(
                f"could not run `rabbitmqctl {arguments[0]}`",
                cause=said.strip(),
                hint="see that the server runs, and `rabbitmqctl help` for the command's arguments",
            )
        return said

    def _make(self) -> DockerContainer:
        made = DockerContainer(self.image)
        # Schedulers that spin before they sleep take time from others:
        # on a small machine the node starts twice as fast without.
        made.with_env("RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD", "none")
        if arguments := scheduler_arguments(self._schedulers):
            made.with_env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", " ".join(arguments))
        settings = dict(self._settings)
        if self._certificates is not None:
            inside = Certificates(*(Path(_INSIDE / f"{role}.pem") for role in Certificates._fields))
            settings |= inside.settings(str(_TLS_PORT))
            for role, own in self._certificates._asdict().items():
                self._bring(made, f"{role}.pem", own.read_bytes(), _INSIDE / f"{role}.pem")
        lines = "".join(f"{name} = {value}\n" for name, value in settings.items())
        self._bring(made, "rabbitmq.conf", lines.encode(), _CONFIGURATION)
        return made

    def _bring(self, made: DockerContainer, name: str, content: bytes, inside: PurePosixPath) -> None:
        """Has the container see a file, which any account in it can read; here only its owner can."""
        folder = self.data_dir / "mounted"
        folder.mkdir(mode=0o700, exist_ok=True)
        file = folder / name
        file.write_bytes(content)
        file.chmod(0o644)
        made.with_volume_mapping(file, str(inside), "ro")

    def _problem(self) -> str | None:
        problem = amqp_problem(self.url, limit=_PROBE_LIMIT)
        if problem is None and self._certificates is not None:
            # The port for TLS opens last.
            self.control("await_startup")
        return problem


def rabbitmq_image() -> str:
    """The image by which containers are made where nothing else is said."""
    return os.environ.get(IMAGE_VARIABLE, "").strip() or IMAGE
