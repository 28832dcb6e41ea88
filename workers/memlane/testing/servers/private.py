"""A server that runs as a private child process, on a data directory and ports of its own."""

from abc import abstractmethod
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from typing import ClassVar, Self

from memlane.testing.servers.errors import ServerStartFailed
from memlane.testing.servers.installing import ensure_installed
from memlane.testing.servers.launched import Launched, Program
from memlane.testing.servers.lease import Lease
from memlane.testing.servers.ports import free_ports
from memlane.testing.servers.processes import Identity
from memlane.testing.servers.server import Server
from memlane.testing.servers.waiting import wait_until

START_LIMIT = timedelta(seconds=60)
STOP_LIMIT = timedelta(seconds=20)
AT_ONCE = timedelta(0)


class PrivateServer(Server):
    """Start, stop, kill, freeze and restart a server of one's own.

    The ports are chosen once: a restart keeps them, and the data. A server that was started here ends with
    this process, also when this process is killed, unless it is detached.

    Args:
        data_dir: Where everything of this server lives; made when it does not exist, and never removed.
        detached: The server is meant to outlive this process.
    """

    port_count: ClassVar[int] = 1
    """How many ports it listens on."""

    def __init__(self, data_dir: Path, *, detached: bool = False) -> None:
        self.data_dir = data_dir.absolute()
        self.log_file = self.data_dir / "server.log"
        self._launched = Launched(self.data_dir, self.log_file, detached=detached)
        self._ports: tuple[int, ...] = ()

    @abstractmethod
    def _prepare(self) -> Sequence[Program]:
        """Write what the server needs to its directory, and name the programs to run; the last one serves."""

    @abstractmethod
    def _problem(self) -> str | None:
        """Why the server does not serve yet, or None once it does."""

    @property
    def port(self) -> int:
        """The port that clients connect to; known once the server was started."""
        return self._ports[0]

    @property
    def leaders(self) -> list[Identity]:
        """The processes that were started and still run, each the leader of its process group."""
        return self._launched.leaders

    @property
    def running(self) -> bool:
        """Whether the server's own process runs (frozen or not)."""
        return self._launched.serving

    def start(self) -> Self:
        """Start the server, installed first where need be, and return when it serves; one that runs is kept.

        Raises:
            NoServerFound: It is not installed, and may not be.
            ServerInUse: Another server runs on the data directory.
            ServerStartFailed: It ended, or did not serve within a minute.
        """
        if self.running:
            return self
        self._launched.end(AT_ONCE)
        ensure_installed([self.kind])
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with Lease(self.data_dir).taking():
            self._ports = self._ports or free_ports(self.port_count)
            try:
                self._launch_and_wait()
            except BaseException:
                self._launched.end(AT_ONCE)
                raise
        return self

    def stop(self) -> None:
        """Shut the server down in good order, with all that was started for it; killed after 20 seconds."""
        self._launched.end(STOP_LIMIT)

    def kill(self) -> None:
        """End the server as a crash would: at once, with nothing flushed or closed."""
        self._launched.signal(SIGKILL)
        self._launched.end(AT_ONCE)

    def freeze(self) -> None:
        """Halt the server without ending it: its connections stay open, and nothing answers."""
        self._launched.signal(SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen server go on where it was."""
        self._launched.signal(SIGCONT)

    def last_lines(self, count: int = 25) -> list[str]:
        """The end of the server's log."""
        if not self.log_file.exists():
            return []
        return self.log_file.read_text(encoding="utf-8", errors="replace").splitlines()[-count:]

    def _launch_and_wait(self) -> None:
        problem: str | None = None

        def settled() -> bool:
            nonlocal problem
            if self._launched.exit_code() is not None:
                return True
            problem = self._problem()
            return problem is None

        try:
            self._launched.launch(self._prepare())
        except OSError as error:
            raise self._failed(str(error)) from error
        in_time = wait_until(settled, within=START_LIMIT)
        if (code := self._launched.exit_code()) is not None:
            raise self._failed(f"it ended with exit code {code}")
        if not in_time:
            raise self._failed(f"it did not serve within {START_LIMIT.seconds} s: {problem}")

    def _failed(self, cause: str) -> ServerStartFailed:
        lines = "".join(f"\n    {line}" for line in self.last_lines())
        return ServerStartFailed(
            f"could not start a private {self.kind}",
            cause=f"{cause}; the last lines of {self.log_file}:{lines}",
            hint="read the log; a full disk, too little memory and a broken installation are usual reasons",
        )
