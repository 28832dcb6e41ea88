"""Whether tests can have servers: said once, with the choices."""

import pytest

from memlane.testing.servers import Hosting
from tests.support import kinds_of_servers
from tests.support.kinds_of_servers import why_no_servers

BROKER = "amqp://guest:guest@127.0.0.1:1/"


@pytest.fixture(params=[(None, None), ("no engine", None), (None, "not root"), ("no engine", "not root")])
def problems(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> tuple[str | None, str | None]:
    """Of containers and of processes, on this machine."""
    containers, processes = request.param
    monkeypatch.setattr(kinds_of_servers, "_no_containers", lambda: containers)
    monkeypatch.setattr(kinds_of_servers, "_no_processes", lambda: processes)
    return containers, processes


def test_one_kind_is_enough_and_a_forced_one_is_needed(problems: tuple[str | None, str | None]) -> None:
    """Nothing is said where it can be had; else the reasons, and all that one can do."""
    containers, processes = problems
    told = why_no_servers(None, {})
    assert (told is None) == (containers is None or processes is None)
    if told is not None:
        assert "no containers: no engine; no processes: not root" in told
        assert "start a Docker engine" in told
    for kind, problem in ((Hosting.CONTAINERS, containers), (Hosting.PROCESSES, processes)):
        forced = why_no_servers(kind, {})
        assert (forced is None) == (problem is None)
        if forced is not None:
            assert f"--services={kind} can't be had ({problem}): " in forced


def test_servers_of_the_environment_are_enough(problems: tuple[str | None, str | None]) -> None:
    """Both of them; and the broker with what controls it."""
    del problems
    both = {"MEMLANE_AMQP_URL": BROKER, "MEMLANE_REDIS_URL": "redis://127.0.0.1:1/0"}
    assert why_no_servers(None, {**both, "RABBITMQCTL": "rabbitmqctl"}) is None
    told = why_no_servers(None, both)
    assert told is not None
    assert "set RABBITMQCTL" in told
