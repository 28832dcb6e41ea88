"""Making sure that a server's programs are here: installed by the package manager where it may."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

from memlane.testing.servers import apt, programs
from memlane.testing.servers.errors import NoServerFound
from memlane.testing.servers.kinds import Kind

PACKAGES: Mapping[Kind, str] = MappingProxyType(
    {Kind.RABBITMQ: "rabbitmq-server", Kind.REDIS: "redis-server"}
)

CHOICES = (
    "do one of these: set MEMLANE_AMQP_URL and MEMLANE_REDIS_URL to servers that run; start a Docker engine"
    " (whose images can be pulled, or made by compose/make-images);"
    " install the packages rabbitmq-server and redis-server; run as root where apt-get works, and they are"
    " installed for you"
)


def program(kind: Kind) -> Path | None:
    """The installed program of a server, or None."""
    return programs.rabbitmq_server() if kind is Kind.RABBITMQ else programs.redis_server()


def ensure_installed(
    kinds: Iterable[Kind],
    *,
    find: Callable[[Kind], Path | None] = program,
    why_not: Callable[[], str | None] = apt.why_not,
    install: Callable[[list[str]], None] = apt.install,
) -> bool:
    """Install what is missing; tells whether anything was.

    Raises:
        NoServerFound: Something is missing, and nothing may be installed.
        InstallFailed: The package manager failed.
    """
    missing = [kind for kind in kinds if find(kind) is None]
    if not missing:
        return False
    names = " and ".join(missing)
    if (reason := why_not()) is not None:
        raise NoServerFound(f"no {names} to run on", cause=f"not installed, and {reason}", hint=CHOICES)
    install([PACKAGES[kind] for kind in missing])
    if still := [kind for kind in missing if find(kind) is None]:
        raise NoServerFound(
            f"no {' and '.join(still)} to run on", cause="installed, but not found", hint=CHOICES
        )
    return True
