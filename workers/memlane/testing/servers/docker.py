"""Running the `docker` command."""

import subprocess
from collections.abc import Callable, Sequence
from datetime import timedelta

from memlane.testing.servers.errors import DockerFailed

ASK_LIMIT = timedelta(seconds=10)

Docker = Callable[[Sequence[str], timedelta], str]
"""Runs `docker` with these arguments, within a limit, and returns what it printed; raises DockerFailed."""


def docker(arguments: Sequence[str], limit: timedelta) -> str:
    """Run `docker` on this machine.

    Raises:
        DockerFailed: There is no docker, or it failed, or it took too long.
    """
    what = f"could not run `docker {' '.join(arguments)}`"
    hint = "`docker info` tells whether the engine runs"
    try:
        done = subprocess.run(  # noqa: S603  # this package's own arguments
            ["docker", *arguments],  # noqa: S607  # whichever docker the PATH has
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=limit.total_seconds(),
            check=False,
        )
    except OSError as error:
        raise DockerFailed(what, cause="there is no `docker` on the PATH that runs", hint=hint) from error
    except subprocess.TimeoutExpired as error:
        raise DockerFailed(what, cause=f"not done within {limit}", hint=hint) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise DockerFailed(what, cause=lines[-1], hint=hint)
    return done.stdout.strip()


def engine_problem(run: Docker = docker) -> str | None:
    """Why no Docker engine is to be had here, or None where one answers."""
    try:
        # Not `docker info`: where no engine answers, an old client says nothing of use about it.
        version = run(["version", "--format", "{{.Server.Version}}"], ASK_LIMIT)
    except DockerFailed as error:
        return error.cause
    return None if version else "no engine answers"
