"""`running_servers` finds or starts a pair, and stops exactly what it started."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from memlane.testing.servers import How, PrivateRedis, ServerUnreachable, running_servers
from memlane.testing.servers.probes import amqp_problem, redis_problem
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON, Residents

pytestmark = [
    pytest.mark.processes,
    pytest.mark.usefixtures("installed"),
    pytest.mark.timeout(120, func_only=True),
]

OWNER = """
import signal
from memlane.testing.servers import running_servers

with running_servers() as servers:
    print(servers.amqp_url, servers.redis_url, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def only_private_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No URLs, no Docker, and temporary folders where the test can see them."""
    monkeypatch.delenv("MEMLANE_AMQP_URL", raising=False)
    monkeypatch.delenv("MEMLANE_REDIS_URL", raising=False)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_pair_is_started_and_stopped_without_a_trace(tmp_path: Path) -> None:
    """The temporary folder is gone as well."""
    with running_servers() as servers:
        assert amqp_problem(servers.amqp_url) is None
        assert redis_problem(servers.redis_url) is None
        assert servers.amqp_how in {How.INSTALLED, How.PACKAGE_MANAGER}
        assert len(list(tmp_path.iterdir())) == 1

    assert amqp_problem(servers.amqp_url) is not None
    assert redis_problem(servers.redis_url) is not None
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_the_environment_names_is_used_and_not_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is started as before."""
    with PrivateRedis(tmp_path / "given") as given:
        monkeypatch.setenv("MEMLANE_REDIS_URL", given.url)
        with running_servers(data_dir=tmp_path / "kept") as servers:
            assert (servers.redis_url, servers.redis_how) == (given.url, How.ENVIRONMENT)
            assert amqp_problem(servers.amqp_url) is None

        assert given.running
        assert [folder.name for folder in tmp_path.joinpath("kept").iterdir()] == ["rabbitmq"]


def test_a_server_that_the_environment_names_and_that_is_down_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing else is started in its place."""
    monkeypatch.setenv("MEMLANE_AMQP_URL", "amqp://127.0.0.1:1/")
    with pytest.raises(ServerUnreachable), running_servers():
        ...


def test_servers_end_with_an_owner_that_is_killed(tmp_path: Path, residents: Residents) -> None:
    """A guard beside them notices, ends them and removes their folder."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "DOCKER_HOST": "unix:///nonexistent.sock"}
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", OWNER], env=environment, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        amqp_url, redis_url = owner.stdout.readline().split()
        owner.send_signal(signal.SIGKILL)

    assert wait_until(lambda: not residents(tmp_path), within=SOON), residents(tmp_path)
    assert amqp_problem(amqp_url) is not None
    assert redis_problem(redis_url) is not None
    assert wait_until(lambda: list(tmp_path.iterdir()) == [], within=SOON)
