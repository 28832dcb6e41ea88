"""Servers in containers: the same that private processes can do, and nothing of them is left."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker
import pytest
from docker import DockerClient
from redis import Redis
from redis.exceptions import RedisError

from memlane.testing.servers import DockerFailed, Hosting, OwnServers, RedisServer, Server, own_servers
from memlane.testing.servers.container import OWNER, ContainerServer, is_left_over, owner_of_this_process
from memlane.testing.servers.container_redis import ContainerRedis
from memlane.testing.servers.containers import remove_leftovers
from memlane.testing.servers.probes import amqp_problem, redis_problem
from memlane.testing.servers.processes import Identity
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON

pytestmark = [pytest.mark.containers, pytest.mark.timeout(120, func_only=True)]

_OWNER = """
import signal, sys
from pathlib import Path
from memlane.testing.servers.container_redis import ContainerRedis

with ContainerRedis(Path(sys.argv[1])) as server:
    print(server.container_id, flush=True)
    signal.pause()
"""


@pytest.fixture(scope="module")
def containers() -> OwnServers:
    """Forced: what can't be had fails."""
    return own_servers(Hosting.CONTAINERS)


@contextmanager
def _engine() -> Iterator[DockerClient]:
    with closing(docker.from_env()) as client:
        yield client


def _ids() -> set[str]:
    with _engine() as client:
        return {str(one.id) for one in client.containers.list(all=True, filters={"label": OWNER})}


def _id_of(server: Server) -> str:
    assert isinstance(server, ContainerServer)
    assert server.container_id is not None
    return server.container_id


def _get(server: RedisServer, key: str) -> str | None:
    with Redis.from_url(server.url, decode_responses=True, socket_timeout=2) as client:
        found = client.get(key)
    assert found is None or isinstance(found, str)
    return found


def test_a_rabbitmq_serves_on_loopback_only_and_leaves_nothing(
    containers: OwnServers, tmp_path: Path
) -> None:
    """Neither a container nor a volume."""
    with containers.rabbitmq(tmp_path) as server:
        assert amqp_problem(server.url) is None
        assert "guest" in server.control("list_users")
        container = _id_of(server)
        with _engine() as client:
            told = client.containers.get(container).attrs
        bound = {one["HostIp"] for of in told["NetworkSettings"]["Ports"].values() for one in of or ()}
        assert bound == {"127.0.0.1"}
        volumes = {mount["Name"] for mount in told["Mounts"] if mount["Type"] == "volume"}
        assert volumes
    assert amqp_problem(server.url) is not None
    assert not _is_there(container)
    with _engine() as client:
        assert not volumes & {one.name for one in client.volumes.list()}


def test_a_restart_keeps_the_port_and_the_data(containers: OwnServers, tmp_path: Path) -> None:
    """As `stop` and `start` do; so does a crash, of what is on the disk."""
    with containers.redis(tmp_path, durable=True) as server:
        url = server.url
        with Redis.from_url(url) as client:
            client.set("k", "v")
        server.restart()
        assert (server.url, _get(server, "k")) == (url, "v")
        server.stop()
        assert redis_problem(url) is not None
        assert not server.running
        server.start()
        assert _get(server, "k") == "v"
        server.kill()
        assert not server.running
        server.start()
        assert _get(server, "k") == "v"


def test_a_frozen_server_answers_nothing_until_it_is_thawed(containers: OwnServers, tmp_path: Path) -> None:
    """Its connections stay open meanwhile."""
    with containers.redis(tmp_path) as server:
        with Redis.from_url(server.url, socket_timeout=1) as client:
            client.set("k", "v")
            server.freeze()
            assert server.running
            with pytest.raises(RedisError):
                client.get("k")
            server.thaw()
        assert _get(server, "k") == "v"


def test_arguments_and_settings_reach_the_server(containers: OwnServers, tmp_path: Path) -> None:
    """As they are said."""
    with containers.redis(tmp_path, arguments=("--maxmemory", "10mb")) as server:
        with Redis.from_url(server.url, decode_responses=True) as client:
            said = client.config_get("maxmemory*")
            assert (said["maxmemory"], said["maxmemory-policy"]) == ("10485760", "noeviction")
    with containers.rabbitmq(tmp_path / "rabbitmq", settings={"channel_max": "77"}) as rabbitmq:
        assert "77" in rabbitmq.control("eval", "application:get_env(rabbit, channel_max).")


def test_an_image_that_cannot_be_had_is_an_error(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(DockerFailed, match="no-such-image"):
        ContainerRedis(tmp_path, image="localhost:1/no-such-image:1").start()


def test_a_container_goes_with_an_owner_that_is_killed(tmp_path: Path) -> None:
    """At once, by its guard."""
    owner = _owner(tmp_path)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    assert wait_until(lambda: not _is_there(owner.container), within=SOON)


def test_what_is_left_all_the_same_goes_with_the_next_start(tmp_path: Path) -> None:
    """Also where the guard was killed with its owner; what has a living owner, or none, stays."""
    owner = _owner(tmp_path)
    other = _owner(tmp_path / "other")
    for pid in [*_children(owner.pid), owner.pid]:
        os.kill(pid, signal.SIGKILL)
    owner.wait()
    try:
        assert _is_there(owner.container)
        assert owner.container in remove_leftovers()
        assert not _is_there(owner.container)
        assert _is_there(other.container)
    finally:
        other.terminate()
        other.wait()
        wait_until(lambda: not _is_there(other.container), within=SOON)


def test_the_label_names_its_owner(containers: OwnServers, tmp_path: Path) -> None:
    """By pid and start time: a pid alone may be somebody else's by now."""
    with containers.redis(tmp_path) as server:
        with _engine() as client:
            label = client.containers.get(_id_of(server)).labels[OWNER]
        assert label == owner_of_this_process()
        said = json.loads(label)
        assert Identity(pid=said["pid"], started=said["started"]) == Identity.of(os.getpid())
        # Of a process on another machine, which uses the same engine, nobody here knows whether it lives.
        assert not is_left_over(json.dumps({**said, "pid": 1, "started": "once", "space": "elsewhere"}))
        assert is_left_over(json.dumps({**said, "started": "once"}))


class _Owner(subprocess.Popen[str]):
    """A process with a container, and which one that is."""

    container: str


def _owner(folder: Path) -> _Owner:
    folder.mkdir(exist_ok=True)
    owner = _Owner([sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    with owner.stdout as said:
        owner.container = said.readline().strip()
    assert _is_there(owner.container)
    return owner


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    return [int(child) for task in tasks.glob("*/children") for child in task.read_text().split()]


def _is_there(container: str) -> bool:
    return container in _ids()
