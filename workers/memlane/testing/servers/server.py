"""What a server of one's own can do, whether it runs as a process or in a container."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, NamedTuple, Self

from memlane.testing.servers.kinds import Kind


class Server(ABC):
    """A server that can be stopped, killed, frozen and restarted. A restart keeps its port and its data."""

    kind: ClassVar[Kind]
    """Which server it is."""

    data_dir: Path
    """A folder of this server's: made when it starts, never removed."""

    @property
    @abstractmethod
    def url(self) -> str:
        """Where a client connects; known once the server was started."""

    @property
    @abstractmethod
    def port(self) -> int:
        """The port of this machine that clients connect to; known once the server was started."""

    @property
    @abstractmethod
    def running(self) -> bool:
        """Whether it runs (frozen or not)."""

    @abstractmethod
    def start(self) -> Self:
        """Start the server, and return when it serves; one that runs is kept.

        Raises:
            ServerError: It can't be had, or did not serve within a minute.
        """

    @abstractmethod
    def stop(self) -> None:
        """Shut it down in good order; killed after 20 seconds. Its data stays for the next start."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a crash would: at once, with nothing flushed or closed."""

    @abstractmethod
    def freeze(self) -> None:
        """Halt it without ending it: its connections stay open, and nothing answers."""

    @abstractmethod
    def thaw(self) -> None:
        """Let a frozen server go on where it was."""

    def restart(self) -> Self:
        """Stop and start, on the same port and data."""
        self.stop()
        return self.start()

    def close(self) -> None:
        """Stop it for good."""
        self.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Certificates(NamedTuple):
    """What a RabbitMQ that listens for TLS has: files, in PEM.

    Attributes:
        ca: who signs the certificates of clients, which it asks for.
        cert: its own.
        key: the key of that.
    """

    ca: Path
    cert: Path
    key: Path

    def settings(self, listener: str) -> Mapping[str, str]:
        """The lines of `rabbitmq.conf`; the listener is a port, or an address and a port."""
        return {
            "listeners.ssl.default": listener,
            "ssl_options.cacertfile": str(self.ca),
            "ssl_options.certfile": str(self.cert),
            "ssl_options.keyfile": str(self.key),
            "ssl_options.verify": "verify_peer",
            "ssl_options.fail_if_no_peer_cert": "true",
        }


def scheduler_arguments(schedulers: int | None) -> Sequence[str]:
    """What Erlang is told of how many processors it may keep busy; None: all."""
    return () if schedulers is None else (f"+S {schedulers}:{schedulers}",)


class RabbitMQServer(Server):
    """A RabbitMQ of one's own: user `guest`, password `guest`, who may connect from anywhere."""

    kind: ClassVar[Kind] = Kind.RABBITMQ

    @property
    def url(self) -> str:
        """Where a client connects; known once the server was started."""
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    @property
    @abstractmethod
    def tls_port(self) -> int:
        """The port for TLS, where it was made with certificates; known once the server was started."""

    @abstractmethod
    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` against this node: `control("add_user", "bot", "secret")`, say.

        Returns:
            What it printed.

        Raises:
            ServerError: It failed, or did not end within a minute.
        """


class RedisServer(Server):
    """A Redis of one's own, which never evicts."""

    kind: ClassVar[Kind] = Kind.REDIS

    @property
    def url(self) -> str:
        """Where a client connects; known once the server was started."""
        return f"redis://127.0.0.1:{self.port}/0"
