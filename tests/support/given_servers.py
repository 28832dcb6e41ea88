"""Servers that the environment names: shared by all tests, and not to be mistreated."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from memlane.testing.servers import RabbitMQServer, RedisServer, ServerError
from memlane.testing.servers.kinds import VARIABLES, Kind
from memlane.testing.servers.probes import PROBES

RABBITMQCTL: Final = "RABBITMQCTL"
"""The variable with the command that runs rabbitmqctl there: `docker exec broker rabbitmqctl`, say."""


class _Given:
    """What a server can't do that belongs to somebody else."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url = url
        self.data_dir = folder

    @property
    def url(self) -> str:
        """As it was named."""
        return self._url

    @property
    def port(self) -> int:
        """As it was named."""
        return urlsplit(self._url).port or 0

    @property
    def running(self) -> bool:
        """Somebody else sees to that."""
        return True

    def start(self) -> Self:
        """Sees that it answers."""
        kind: Kind = type(self).kind  # type: ignore[attr-defined]  # of the class beside
        if (problem := PROBES[kind](self._url)) is not None:
            raise ServerError(
                f"cannot reach the {kind} that {VARIABLES[kind]} names",
                cause=problem,
                hint="start it, or unset the variable: the tests start servers of their own then",
            )
        return self

    def stop(self) -> None:
        """Leaves it alone."""

    def _not_ours(self) -> None:
        raise AssertionError("a test would mistreat a server that the environment names")

    kill = freeze = thaw = _not_ours


class GivenRabbitMQ(_Given, RabbitMQServer):
    """The RabbitMQ of MEMLANE_AMQP_URL: tests make virtual hosts and accounts there, which stay."""

    def start(self) -> Self:
        """Sees that it answers, and that it is by the account which the tests give all rights."""
        place = urlsplit(self._url)
        if (place.username, place.password) != ("guest", "guest"):
            raise ServerError(
                "cannot use the RabbitMQ that MEMLANE_AMQP_URL names",
                cause=f"the tests are its guest, with the password guest; the URL says {place.username}",
                hint="name a broker that is there for tests, as amqp://guest:guest@HOST:PORT/",
            )
        return super().start()

    @property
    def tls_port(self) -> int:
        """Not known."""
        raise AssertionError("a test would use TLS with a server that the environment names")

    def control(self, *arguments: str) -> str:
        """See `RabbitMQServer.control`."""
        command = os.environ.get(RABBITMQCTL, "")
        if not command:
            raise ServerError(
                "cannot make virtual hosts for the tests",
                cause=f"MEMLANE_AMQP_URL names a broker, and {RABBITMQCTL} nothing to control it by",
                hint=f"set {RABBITMQCTL}, to `docker exec NAME rabbitmqctl`, say; or unset MEMLANE_AMQP_URL",
            )
        done = subprocess.run(  # noqa: S603  # the caller's own command
            [*shlex.split(command), "--quiet", *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        if done.returncode != 0:
            raise ServerError(f"`{command}` failed", cause=done.stderr or done.stdout, hint="run it by hand")
        return done.stdout


class GivenRedis(_Given, RedisServer):
    """The Redis of MEMLANE_REDIS_URL."""


def problem_of(environment: Mapping[str, str]) -> str | None:
    """Why the servers that the environment names can't be used; None where they can, or it names none."""
    if given(Kind.RABBITMQ, environment) is None or environment.get(RABBITMQCTL):
        return None
    return (
        f"MEMLANE_AMQP_URL names a broker, and {RABBITMQCTL} nothing to control it by: set {RABBITMQCTL}, to"
        " `docker exec NAME rabbitmqctl`, say; or unset MEMLANE_AMQP_URL: the tests start their own then"
    )


def given(kind: Kind, environment: Mapping[str, str]) -> str | None:
    """The URL that the environment names."""
    return environment.get(VARIABLES[kind], "").strip() or None
