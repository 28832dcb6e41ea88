"""Servers as containers: a compose project of their own, on free ports, removed afterwards."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.testing.servers import DockerFailed, How, containers
from memlane.testing.servers.containers import docker_source
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.probes import Probe

BOTH = tuple(Kind)
FILE = Path("/project/compose/compose.yaml")
SERVING: Mapping[Kind, Probe] = dict.fromkeys(BOTH, lambda _: None)
SILENT: Mapping[Kind, Probe] = dict.fromkeys(BOTH, lambda _: "connection refused")


class Engine:
    """Stands for the `docker` command: notes what it is asked, and fails where it is told to."""

    def __init__(self, **failures: str) -> None:
        self.asked: list[list[str]] = []
        self._failures = failures

    def __call__(self, arguments: Sequence[str], _: timedelta) -> str:
        """Answer as docker would."""
        words = [word for word in arguments if word not in ("compose", "--file", str(FILE), "--project-name")]
        words = [word for word in words if not word.startswith("memlane-")]
        self.asked.append(words)
        if words[0] in self._failures:
            raise DockerFailed(f"docker {words[0]}", cause=self._failures[words[0]], hint="…")
        return {"info": "28.0.0", "port": f"127.0.0.1:4{words[-1]}"}.get(words[0], "")

    @property
    def verbs(self) -> list[str]:
        """What it was asked to do."""
        return [words[0] for words in self.asked]


def test_containers_are_found_by_their_published_ports_and_removed_with_their_volumes() -> None:
    """Random ports, so that nothing of the machine's own is in the way."""
    engine = Engine()

    attempt = docker_source(FILE, detached=True, tell=pytest.fail, run=engine, check=SERVING)(BOTH)

    assert [found.url for found in attempt.found] == [
        "amqp://guest:guest@127.0.0.1:45672/",
        "redis://127.0.0.1:46379/0",
    ]
    assert {found.how for found in attempt.found} == {How.DOCKER}
    assert engine.asked[2] == ["up", "--detach", "--no-build", "rabbitmq", "redis"]
    attempt.stop()
    assert engine.asked[-1] == ["down", "--volumes", "--timeout", "5"]


def test_only_the_servers_that_are_wanted_are_started() -> None:
    """The other one was found elsewhere."""
    engine = Engine()
    docker_source(FILE, detached=True, tell=pytest.fail, run=engine, check=SERVING)([Kind.REDIS])
    assert engine.asked[2] == ["up", "--detach", "--no-build", "redis"]


def test_every_project_has_a_name_of_its_own() -> None:
    """Two runs at once do not share containers."""
    source = docker_source(FILE, detached=True, tell=pytest.fail, run=Engine(), check=SERVING)
    first, second = (source(BOTH).found[0].project for _ in range(2))
    assert first != second


def test_no_engine_is_no_reason_to_worry() -> None:
    """Most machines have none: the next place is looked at, without a word."""
    engine = Engine(info="cannot connect to the Docker daemon")

    attempt = docker_source(FILE, detached=True, tell=pytest.fail, run=engine, check=SERVING)(BOTH)

    assert attempt.found == ()
    assert attempt.reason == "no Docker: cannot connect to the Docker daemon"
    assert engine.verbs == ["info"]


def test_without_the_compose_file_docker_is_not_asked() -> None:
    """An installed package has none."""
    engine = Engine()
    assert docker_source(None, detached=True, tell=pytest.fail, run=engine)(BOTH).found == ()
    assert engine.asked == []


@pytest.mark.parametrize("failure", ["version", "up", "port"])
def test_an_engine_that_cannot_run_them_is_told_of_and_passed_over(failure: str) -> None:
    """It may not reach the registry. What it did start is removed."""
    told: list[str] = []
    engine = Engine(**{failure: "pull access denied"})

    attempt = docker_source(FILE, detached=True, tell=told.append, run=engine, check=SERVING)(BOTH)

    assert attempt.found == ()
    assert engine.verbs[-1] == "down"
    assert len(told) == 1
    assert told[0].startswith("warning: a Docker engine answers but cannot run RabbitMQ or Redis: ")
    assert ("there is no `docker compose`" if failure == "version" else "pull access denied") in told[0]


def test_a_container_that_does_not_serve_is_removed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its URL would be of no use to anybody."""
    monkeypatch.setattr(containers, "READY_LIMIT", timedelta(0))
    told: list[str] = []
    engine = Engine()

    attempt = docker_source(FILE, detached=True, tell=told.append, run=engine, check=SILENT)(BOTH)

    assert attempt.found == ()
    assert "connection refused" in told[0]
    assert engine.verbs[-1] == "down"


def test_a_failure_to_clean_up_does_not_hide_the_failure_to_start() -> None:
    """The first error is the one that explains."""
    told: list[str] = []
    attempt = docker_source(
        FILE, detached=True, tell=told.append, run=Engine(up="no space left", down="gone"), check=SERVING
    )(BOTH)
    assert "no space left" in attempt.reason


def test_the_compose_file_of_this_project_is_found() -> None:
    """In a checkout, which is where the tests run."""
    file = containers.compose_file()
    assert file is not None
    text = file.read_text(encoding="utf-8")
    assert "\n  rabbitmq:\n" in text
    assert "\n  redis:\n" in text
