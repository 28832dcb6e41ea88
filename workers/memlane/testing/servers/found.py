"""What finding servers comes to."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from memlane.testing.servers.kinds import VARIABLES, Kind
from memlane.testing.servers.processes import Identity


class How(StrEnum):
    """How a server came to be found."""

    ENVIRONMENT = "named by the environment"
    DOCKER = "a container of this machine's Docker engine"
    INSTALLED = "a private process of the server installed here"
    PACKAGE_MANAGER = "a private process of the server, installed for this"


@dataclass(frozen=True, kw_only=True)
class Found:
    """One server that answers."""

    kind: Kind
    url: str
    how: How
    leaders: tuple[Identity, ...] = ()
    """The private processes behind it, in the order in which they were started."""
    container: str | None = None
    """The id of the container behind it."""

    @property
    def started(self) -> bool:
        """Whether it was started by memlane, rather than found running."""
        return bool(self.leaders) or self.container is not None


@dataclass(frozen=True, kw_only=True)
class Attempt:
    """What one source came up with."""

    found: tuple[Found, ...] = ()
    stop: Callable[[], None] = lambda: None
    """Stops what was started for it, and nothing else."""
    reason: str = ""
    """Why the rest was not found here."""


Source = Callable[[Sequence[Kind]], Attempt]
"""Looks for these servers at one kind of place."""


@dataclass(frozen=True, kw_only=True)
class Servers:
    """Where RabbitMQ and Redis are, and how they were found."""

    amqp_url: str
    redis_url: str
    amqp_how: How
    redis_how: How

    @classmethod
    def of(cls, found: Mapping[Kind, Found]) -> "Servers":
        """The pair."""
        amqp, redis = found[Kind.RABBITMQ], found[Kind.REDIS]
        return cls(amqp_url=amqp.url, redis_url=redis.url, amqp_how=amqp.how, redis_how=redis.how)

    def environment(self) -> dict[str, str]:
        """The variables by which memlane's processes learn of the servers."""
        return {VARIABLES[Kind.RABBITMQ]: self.amqp_url, VARIABLES[Kind.REDIS]: self.redis_url}
