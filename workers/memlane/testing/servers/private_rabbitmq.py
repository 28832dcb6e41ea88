"""A private RabbitMQ."""

import secrets
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

from memlane.testing.servers import programs
from memlane.testing.servers.errors import ServerError
from memlane.testing.servers.launched import Program
from memlane.testing.servers.ports import LOOPBACK
from memlane.testing.servers.private import PrivateServer
from memlane.testing.servers.probes import amqp_problem
from memlane.testing.servers.rabbitmq_home import without_plugins
from memlane.testing.servers.server import Certificates, RabbitMQServer, scheduler_arguments

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        # Kept small, so that an ordinary disk and a temporary folder do.
        "disk_free_limit.absolute": "50MB",
        "raft.wal_max_size_bytes": "67108864",
    }
)

# Erlang's own hosts file: the node's name resolves even where the machine's says nothing, or something else.
_NAMES = '{host, {127,0,0,1}, ["localhost"]}.\n{lookup, [file, native]}.\n'

_COMMAND_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class Membership:
    """Of a node in a cluster.

    Attributes:
        name: The node's, before the `@`.
        mapper: Tells the port of the epmd that all nodes share.
        cookie: Tells the secret that all nodes share.
    """

    name: str
    mapper: Callable[[], int]
    cookie: Callable[[], str]


class PrivateRabbitMQ(PrivateServer, RabbitMQServer):
    """A RabbitMQ node of one's own, with its own epmd and cookie: user `guest`, password `guest`, no plugins.

    A node that is killed forgets the quorum queues of its last second, as RabbitMQ writes their names to the
    disk every half second: they come back empty, and never get a leader. See `has_on_disk`.

    Args:
        data_dir: Where everything of this server lives; made when it does not exist, and never removed.
        detached: The server is meant to outlive this process.
        settings: More lines of `rabbitmq.conf`, which win over `SETTINGS`.
        certificates: It also listens for TLS, on `tls_port`, and shows these.
        schedulers: How many processors it may keep busy; default: all.
        membership: It is one of several nodes, see `PrivateRabbitCluster`; alone, it has all to itself.
    """

    port_count: ClassVar[int] = 4

    def __init__(
        self,
        data_dir: Path,
        *,
        detached: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
        certificates: Certificates | None = None,
        schedulers: int | None = None,
        membership: Membership | None = None,
    ) -> None:
        super().__init__(data_dir, detached=detached)
        self._schedulers = schedulers
        self._script = programs.rabbitmq_server() or Path("rabbitmq-server")
        self._membership = membership
        self._certificates = certificates
        self._settings = {**SETTINGS, **settings}

    @property
    def tls_port(self) -> int:
        """See `RabbitMQServer.tls_port`."""
        return self._ports[3]

    def has_on_disk(self, queue: str) -> bool:
        """Whether a quorum queue (of the default virtual host) would survive a `kill` now."""
        name = f"%2F_{queue}".encode()
        return any(name in file.read_bytes() for file in self._path("data").glob("*/quorum/*/names.dets"))

    def control(self, *arguments: str) -> str:
        """See `RabbitMQServer.control`."""
        command = [str(self._script.with_name("rabbitmqctl")), "--quiet", *arguments]
        what = f"could not run `rabbitmqctl {arguments[0]}`"
        hint = "see that the server runs, and `rabbitmqctl help` for the command's arguments"
        try:
            done = subprocess.run(  # noqa: S603  # the caller's own arguments
                command,
                env=self._environment(),
                cwd=self.data_dir,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_COMMAND_LIMIT.total_seconds(),
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ServerError(what, cause=f"no answer within {_COMMAND_LIMIT}", hint=hint) from error
        if done.returncode != 0:
            raise ServerError(what, cause=(done.stderr or done.stdout).strip(), hint=hint)
        return done.stdout

    def _prepare(self) -> Sequence[Program]:
        tls = {} if self._certificates is None else self._certificates.settings(f"{LOOPBACK}:{self.tls_port}")
        lines = [f"{name} = {value}\n" for name, value in {**self._settings, **tls}.items()]
        self._path("rabbitmq.conf").write_text("".join(lines), encoding="utf-8")
        self._path("enabled_plugins").write_text("[].\n", encoding="ascii")
        self._path("environment.conf").touch()
        self._path("inetrc").write_text(_NAMES, encoding="ascii")
        self._write_cookie()
        environment = self._environment()
        installed = programs.rabbitmq_server() or self._script
        self._script = without_plugins(installed, self._path("home"))
        server = Program(name="rabbitmq-server", command=[str(self._script)], environment=environment)
        if self._membership is not None:
            return [server]
        mapper = [str(programs.epmd()), "-port", environment["ERL_EPMD_PORT"], "-address", "127.0.0.1"]
        return [Program(name="epmd", command=mapper, environment=environment), server]

    def _problem(self) -> str | None:
        problem = amqp_problem(self.url, limit=timedelta(seconds=2))
        if problem is None and self._certificates is not None:
            # The port for TLS opens last.
            self.control("await_startup")
        return problem

    def _environment(self) -> dict[str, str]:
        """All that the node's scripts read: nothing of the system's own RabbitMQ, nothing of the caller's."""
        client, between_nodes, mapper, _ = map(str, self._ports)
        member = self._membership
        if member is not None:
            mapper = str(member.mapper())
        return {
            "PATH": programs.search_path(),
            "LC_ALL": "C.UTF-8",
            "HOME": str(self.data_dir),
            "ERL_INETRC": str(self._path("inetrc")),
            "RABBITMQ_NODENAME": f"{member.name if member else 'memlane'}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": client,
            "RABBITMQ_DIST_PORT": between_nodes,
            "ERL_EPMD_PORT": mapper,
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": str(self._path("data")),
            "RABBITMQ_LOG_BASE": str(self._path("log")),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self._path("enabled_plugins")),
            "RABBITMQ_CONFIG_FILE": str(self._path("rabbitmq.conf")),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self._path("advanced.config")),
            "RABBITMQ_CONF_ENV_FILE": str(self._path("environment.conf")),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": " ".join(
                ["-kernel inet_dist_use_interface {127,0,0,1}", *scheduler_arguments(self._schedulers)]
            ),
            # Schedulers that spin before they sleep take time from others:
            # on a small machine the node starts twice as fast without.
            "RABBITMQ_SCHEDULER_BUSY_WAIT_THRESHOLD": "none",
            "ERL_CRASH_DUMP_BYTES": "0",
            "RABBITMQ_PID_FILE": str(self._path("node.pid")),
        }

    def _write_cookie(self) -> None:
        # In the node's HOME, where Erlang looks: on a command line every user of the machine could read it.
        cookie = self._path(".erlang.cookie")
        if not cookie.exists():
            cookie.touch(mode=0o600)
            shared = self._membership
            cookie.write_text(shared.cookie() if shared else secrets.token_hex(16), encoding="ascii")
            cookie.chmod(0o400)

    def _path(self, name: str) -> Path:
        return self.data_dir / name
