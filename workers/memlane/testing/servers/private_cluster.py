"""A private RabbitMQ of several nodes: a cluster on one machine, whose nodes can be killed one by one."""

import secrets
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import ClassVar, Self

from memlane.testing.servers import programs
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.launched import Program
from memlane.testing.servers.ports import LOOPBACK, is_free
from memlane.testing.servers.private import PrivateServer
from memlane.testing.servers.private_rabbitmq import Membership, PrivateRabbitMQ
from memlane.testing.servers.processes import Identity

NODES = 3


class PortMapper(PrivateServer):
    """The epmd by which the nodes of one cluster find each other: it outlives each of them."""

    kind: ClassVar[Kind] = Kind.RABBITMQ

    @property
    def url(self) -> str:
        """Where nodes ask; known once it was started."""
        return f"epmd://{LOOPBACK}:{self.port}"

    def _prepare(self) -> Sequence[Program]:
        environment = {"PATH": programs.search_path(), "HOME": str(self.data_dir)}
        command = [str(programs.epmd()), "-port", str(self.port), "-address", LOOPBACK]
        return [Program(name="epmd", command=command, environment=environment)]

    def _problem(self) -> str | None:
        return "it does not listen" if is_free(self.port) else None


class PrivateRabbitCluster:
    """Start, stop and mistreat a cluster of one's own: `nodes[0].kill()`, then `nodes[0].start()`.

    Quorum queues and streams that are declared on it have a replica on each of three nodes.

    Args:
        data_dir: Where everything of it lives; made when it does not exist, and never removed.
        nodes: How many. Of three, one may be gone at a time.
        detached: It is meant to outlive this process.
        settings: More lines of each node's `rabbitmq.conf`.
    """

    def __init__(
        self,
        data_dir: Path,
        nodes: int = NODES,
        *,
        detached: bool = False,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._mapper = PortMapper(self.data_dir / "mapper", detached=detached)
        names = [f"memlane-{number}" for number in range(1, nodes + 1)]
        self.nodes = tuple(
            PrivateRabbitMQ(
                self.data_dir / name,
                detached=detached,
                settings={**settings, **_finding(names[0], name)},
                membership=Membership(name=name, mapper=lambda: self._mapper.port, cookie=self._cookie),
            )
            for name in names
        )

    @property
    def url(self) -> str:
        """The URLs of all nodes, separated by commas; known once it was started."""
        return ",".join(node.url for node in self.nodes)

    @property
    def leaders(self) -> list[Identity]:
        """The processes that were started and still run, each the leader of its process group."""
        return [*self._mapper.leaders, *(leader for node in self.nodes for leader in node.leaders)]

    def start(self) -> Self:
        """Start every node that does not run, and return when all serve as one cluster.

        Raises:
            NoServerFound: RabbitMQ is not installed, and may not be.
            ServerError: A node did not start, or did not join the others.
        """
        try:
            self._mapper.start()
            first, *others = self.nodes
            if not (first.data_dir / "data").exists():
                first.start()  # there has to be one to join
            # Nodes that were down together wait for each other.
            with ThreadPoolExecutor() as pool:
                list(pool.map(PrivateRabbitMQ.start, (first, *others)))
            first.control("await_online_nodes", str(len(self.nodes)))
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Shut every node down in good order, the first one last: it is started first again."""
        for node in reversed(self.nodes):
            node.stop()
        self._mapper.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _cookie(self) -> str:
        file = self.data_dir / "cookie"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(16), encoding="ascii")
        return file.read_text(encoding="ascii")


def _finding(first: str, name: str) -> dict[str, str]:
    """The settings by which a new node joins the first one."""
    if name == first:
        return {}
    prefix = "cluster_formation"
    nodes = f"{prefix}.classic_config.nodes"
    return {
        f"{prefix}.peer_discovery_backend": "classic_config",
        f"{nodes}.1": f"{first}@localhost",
        f"{nodes}.2": f"{name}@localhost",
    }
