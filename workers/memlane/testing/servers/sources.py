"""The places where servers are looked for, each a function of the servers wanted."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from memlane.testing.servers import apt
from memlane.testing.servers.errors import ServerUnreachable
from memlane.testing.servers.found import Attempt, Found, How, Source
from memlane.testing.servers.installing import ensure_installed, program
from memlane.testing.servers.kinds import VARIABLES, Kind
from memlane.testing.servers.private import PrivateServer
from memlane.testing.servers.private_cluster import PrivateRabbitCluster
from memlane.testing.servers.private_rabbitmq import PrivateRabbitMQ
from memlane.testing.servers.private_redis import PrivateRedis
from memlane.testing.servers.probes import PROBES, Probe, node_urls

MakeServer = Callable[[Kind], PrivateServer]
"""Makes a private server, not started yet."""


def environment_source(environment: Mapping[str, str], *, check: Mapping[Kind, Probe] = PROBES) -> Source:
    """Servers whose URLs the environment names, each of the two on its own."""

    def look(kinds: Sequence[Kind]) -> Attempt:
        named = {kind: url for kind in kinds if (url := environment.get(VARIABLES[kind], "").strip())}
        for kind, url in named.items():
            if (problem := check[kind](url)) is not None:
                raise ServerUnreachable(
                    f"cannot reach the {kind} that {VARIABLES[kind]} names ({without_password(url)})",
                    cause=problem,
                    hint=f"start that server, correct the URL, or unset {VARIABLES[kind]} to have one found",
                )
        found = tuple(Found(kind=kind, url=url, how=How.ENVIRONMENT) for kind, url in named.items())
        unset = " and ".join(VARIABLES[kind] for kind in kinds if kind not in named)
        return Attempt(found=found, reason=f"not set: {unset}" if unset else "")

    return look


def installed_source(make: MakeServer, *, find: Callable[[Kind], Path | None] = program) -> Source:
    """Private processes of the servers that are installed here."""

    def look(kinds: Sequence[Kind]) -> Attempt:
        here = [kind for kind in kinds if find(kind) is not None]
        missing = " and ".join(kind for kind in kinds if kind not in here)
        return _started(here, make, How.INSTALLED, reason=f"not installed: {missing}" if missing else "")

    return look


def cluster_source(data_dir: Path, nodes: int, *, detached: bool = False) -> Source:
    """A private cluster of RabbitMQ; nothing where that is not wanted.

    Args:
        data_dir: Each node gets a folder in it.
        nodes: How many.
        detached: It is meant to outlive this process.
    """

    def look(kinds: Sequence[Kind]) -> Attempt:
        if Kind.RABBITMQ not in kinds:
            return Attempt()
        cluster = PrivateRabbitCluster(data_dir, nodes, detached=detached).start()
        found = Found(kind=Kind.RABBITMQ, url=cluster.url, how=How.INSTALLED, leaders=tuple(cluster.leaders))
        return Attempt(found=(found,), stop=cluster.stop)

    return look


def package_source(
    make: MakeServer,
    *,
    tell: Callable[[str], None],
    why_not: Callable[[], str | None] = apt.why_not,
    install: Callable[[Sequence[Kind]], object] = ensure_installed,
) -> Source:
    """Private processes of servers that the package manager installs first, where it may."""

    def look(kinds: Sequence[Kind]) -> Attempt:
        if (reason := why_not()) is not None:
            return Attempt(reason=f"cannot be installed: {reason}")
        tell(f"Installing {' and '.join(kinds)} with apt-get (once) ...")
        install(kinds)
        return _started(kinds, make, How.PACKAGE_MANAGER)

    return look


def private_servers(data_dir: Path, *, detached: bool = False, durable: bool = False) -> MakeServer:
    """Makes private servers, not started yet.

    Args:
        data_dir: Each gets a folder in it.
        detached: They are meant to outlive this process.
        durable: Redis keeps its data on disk as well.
    """

    def make(kind: Kind) -> PrivateServer:
        if kind is Kind.RABBITMQ:
            return PrivateRabbitMQ(data_dir / "rabbitmq", detached=detached)
        return PrivateRedis(data_dir / "redis", detached=detached, durable=durable)

    return make


def without_password(url: str) -> str:
    """The URL, or those of several nodes, fit for an error message."""
    return ",".join(map(_without_password, node_urls(url)))


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    user, at, place = rest.rpartition("@")
    name, colon, _ = user.partition(":")
    return f"{scheme}{separator}{name}{':***' if colon else ''}{at}{place}"


def _started(kinds: Sequence[Kind], make: MakeServer, how: How, *, reason: str = "") -> Attempt:
    found: list[Found] = []
    with contextlib.ExitStack() as stack:
        for kind in kinds:
            server = make(kind).start()
            stack.callback(server.stop)
            found.append(Found(kind=kind, url=server.url, how=how, leaders=tuple(server.leaders)))
        return Attempt(found=tuple(found), stop=stack.pop_all().close, reason=reason)
