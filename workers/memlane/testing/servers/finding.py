"""Finding or starting RabbitMQ and Redis: one place after the other, until both are found."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from memlane.testing.servers.containers import docker_source
from memlane.testing.servers.errors import NoServerFound
from memlane.testing.servers.found import Found, Servers, Source
from memlane.testing.servers.guard import Guard
from memlane.testing.servers.installing import CHOICES
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.sources import (
    environment_source,
    installed_source,
    package_source,
    private_servers,
)

_log = logging.getLogger("memlane.testing.servers")


@contextlib.contextmanager
def running_servers(*, data_dir: Path | None = None) -> Iterator[Servers]:
    """Find RabbitMQ and Redis, or start them, and stop exactly what was started.

    In this order: the URLs in the environment (`MEMLANE_AMQP_URL`, `MEMLANE_REDIS_URL`), a Docker engine,
    servers that are installed here, the package manager.

    Args:
        data_dir: Where servers that are started keep their data; what is there is kept. Without it they start
            empty, in a temporary folder that is removed afterwards.

    Raises:
        ServerError: One of its kinds; see `errors`.
    """
    with contextlib.ExitStack() as stack:
        if data_dir is None:
            folder = Path(tempfile.mkdtemp(prefix="memlane-servers-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            stack.callback(Guard(folder, remove=True).dismiss)
        else:
            folder = data_dir
        found, stop = find(standard_sources(folder, durable=data_dir is not None, tell=_log.warning))
        stack.callback(stop)
        yield Servers.of(found)


def standard_sources(
    data_dir: Path, *, tell: Callable[[str], None], detached: bool = False, durable: bool = False
) -> list[Source]:
    """Where to look, the first choice first.

    Args:
        data_dir: Servers that are started get a folder in it each.
        tell: Told, in a line for people, what takes long or did not work.
        detached: Servers that are started are meant to outlive this process.
        durable: Redis keeps its data on disk as well.
    """
    make = private_servers(data_dir, detached=detached, durable=durable)
    return [
        environment_source(os.environ),
        docker_source(data_dir, tell=tell, detached=detached, durable=durable),
        installed_source(make),
        package_source(make, tell=tell),
    ]


def find(
    sources: Sequence[Source], *, kinds: Sequence[Kind] = tuple(Kind)
) -> tuple[Mapping[Kind, Found], Callable[[], None]]:
    """Ask each source for what the ones before it did not have.

    Returns:
        The servers, and what stops those of them that were started for this.

    Raises:
        NoServerFound: A server was found nowhere. What had been started by then is stopped again.
    """
    found: dict[Kind, Found] = {}
    reasons: list[str] = []
    with contextlib.ExitStack() as stack:
        for source in sources:
            missing = [kind for kind in kinds if kind not in found]
            if not missing:
                break
            attempt = source(missing)
            stack.callback(attempt.stop)
            found.update({server.kind: server for server in attempt.found})
            reasons += [attempt.reason] if attempt.reason else []
        if missing := [kind for kind in kinds if kind not in found]:
            raise NoServerFound(
                f"no {' and no '.join(missing)} to run on", cause="; ".join(reasons), hint=CHOICES
            )
        return found, stack.pop_all().close
