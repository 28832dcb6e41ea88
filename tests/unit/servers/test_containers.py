"""When containers are looked for, and what is said where they can't be had."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.testing.servers import DockerFailed, How, ServerStartFailed
from memlane.testing.servers.containers import docker_source
from memlane.testing.servers.found import Attempt, Found
from memlane.testing.servers.kinds import Kind

BOTH = tuple(Kind)


def engine(_arguments: Sequence[str], _limit: timedelta) -> str:
    """Stands for a `docker` with an engine."""
    return "28.0.0"


def no_engine(_arguments: Sequence[str], _limit: timedelta) -> str:
    """Stands for a `docker` without one."""
    raise DockerFailed("docker info", cause="cannot connect to the Docker daemon", hint="…")


def fails_with(error: Exception) -> Callable[[Sequence[Kind]], Attempt]:
    """Stands for containers that can't be started."""

    def start(_kinds: Sequence[Kind]) -> Attempt:
        raise error

    return start


def test_no_engine_is_no_reason_to_worry(tmp_path: Path) -> None:
    """Most machines have none: the next place is looked at, without a word."""
    attempt = docker_source(tmp_path, tell=pytest.fail, run=no_engine)(BOTH)
    assert attempt.found == ()
    assert attempt.reason == "no Docker: cannot connect to the Docker daemon"


def test_only_the_servers_that_are_wanted_are_started(tmp_path: Path) -> None:
    """The other one was found elsewhere."""
    asked: list[Sequence[Kind]] = []

    def start(kinds: Sequence[Kind]) -> Attempt:
        asked.append(kinds)
        return Attempt(found=(Found(kind=Kind.REDIS, url="redis://a/", how=How.DOCKER, container="c"),))

    attempt = docker_source(tmp_path, tell=pytest.fail, run=engine, start=start)([Kind.REDIS])
    assert asked == [[Kind.REDIS]]
    assert attempt.found[0].started


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (DockerFailed("run", cause="pull access denied", hint="…"), "pull access denied"),
        (ServerStartFailed("start", cause="it ended", hint="…"), "it ended"),
        (ImportError("testcontainers"), "memlane[testing]"),
    ],
)
def test_an_engine_that_cannot_run_them_is_told_of(tmp_path: Path, error: Exception, cause: str) -> None:
    """In one line; then the next place is looked at."""
    told: list[str] = []
    attempt = docker_source(tmp_path, tell=told.append, run=engine, start=fails_with(error))(BOTH)
    assert attempt.found == ()
    assert cause in attempt.reason
    (line,) = told
    assert cause in line
    assert line.endswith("Looking further.")
