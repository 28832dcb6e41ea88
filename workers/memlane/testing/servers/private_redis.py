"""A private Redis."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from memlane.testing.servers import programs
from memlane.testing.servers.launched import Program
from memlane.testing.servers.private import PrivateServer
from memlane.testing.servers.probes import redis_problem
from memlane.testing.servers.server import RedisServer


class PrivateRedis(PrivateServer, RedisServer):
    """A Redis of one's own, which keeps nothing on disk unless told to, and never evicts.

    Args:
        data_dir: Where everything of this server lives; made when it does not exist, and never removed.
        detached: The server is meant to outlive this process.
        durable: Keep an append-only file, so that a restart finds the data again.
        arguments: More arguments of `redis-server`, which win over these: `("--maxmemory", "10mb")`, say.
    """

    def __init__(
        self, data_dir: Path, *, detached: bool = False, durable: bool = False, arguments: Sequence[str] = ()
    ) -> None:
        super().__init__(data_dir, detached=detached)
        self._durable = durable
        self._arguments = tuple(arguments)

    def _prepare(self) -> Sequence[Program]:
        command = [str(programs.redis_server()), "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", str(self.data_dir), "--daemonize", "no", "--save", ""]
        command += ["--appendonly", "yes" if self._durable else "no", "--maxmemory-policy", "noeviction"]
        environment = {"PATH": programs.search_path(), "LC_ALL": "C.UTF-8"}
        return [Program(name="redis-server", command=[*command, *self._arguments], environment=environment)]

    def _problem(self) -> str | None:
        return redis_problem(self.url, limit=timedelta(seconds=2))
