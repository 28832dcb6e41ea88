"""Containers that a folder's data outlives: what `make services` and `make up` run where an engine is."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import docker
import pytest
from docker.errors import NotFound
from redis import Redis

from memlane.testing.servers import ServerInUse
from memlane.testing.servers.container_redis import ContainerRedis
from memlane.testing.servers.container_volume import FOLDER, KeptVolume
from memlane.testing.servers.containers import docker_source, remove_container
from memlane.testing.servers.found import Found
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.record import stop_servers
from memlane.testing.servers.waiting import wait_until
from tests.integration.servers.conftest import SOON
from tests.integration.servers.test_private_rabbitmq import publish, take

pytestmark = [pytest.mark.containers, pytest.mark.timeout(300, func_only=True)]

_OWNER = """
import signal, sys
from pathlib import Path
from memlane.testing.servers.container_redis import ContainerRedis

folder = Path(sys.argv[1])
with ContainerRedis(folder / "redis", durable=True, kept_for=folder) as server:
    print(server.url, flush=True)
    signal.pause()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Whose data is kept, until the test ends: then its containers go, and its volumes."""
    yield tmp_path
    with closing(docker.from_env()) as client:
        left = client.containers.list(all=True, filters={"label": f"{FOLDER}={tmp_path}"})
        for container in left:
            container.remove(force=True, v=True)
        for volume in client.volumes.list(filters={"label": f"{FOLDER}={tmp_path}"}):
            volume.remove()
    assert not left


def _left_running(folder: Path) -> dict[Kind, Found]:
    """As `up` does."""
    attempt = docker_source(folder, tell=pytest.fail, detached=True, durable=True)(tuple(Kind))
    return {server.kind: server for server in attempt.found}


def _redis(folder: Path, *, detached: bool = False) -> ContainerRedis:
    return ContainerRedis(folder / "redis", durable=True, detached=detached, kept_for=folder)


async def test_the_data_stays_when_the_containers_are_removed(folder: Path) -> None:
    """`down` removes them, and the next `up` in the same folder has the messages and the keys."""
    found = _left_running(folder)
    try:
        await publish(found[Kind.RABBITMQ].url, "kept")
        with Redis.from_url(found[Kind.REDIS].url) as client:
            client.set("k", "v")
    finally:
        assert stop_servers(found.values()) == list(Kind)
    assert not any(_is_there(str(server.container)) for server in found.values())

    found = _left_running(folder)
    try:
        assert await take(found[Kind.RABBITMQ].url, "kept") == b"remember"
        with Redis.from_url(found[Kind.REDIS].url) as client:
            assert client.get("k") == b"v"
    finally:
        stop_servers(found.values())


def test_two_servers_never_share_their_data(folder: Path) -> None:
    """Two on one volume would ruin it: the second is refused; another folder has a volume of its own."""
    with _redis(folder) as first:
        with pytest.raises(ServerInUse, match="make services-down"):
            _redis(folder).start()
        assert first.running
    other = folder / "other"
    assert KeptVolume(Kind.REDIS, other).name != KeptVolume(Kind.REDIS, folder).name


def test_a_container_that_ended_makes_room_for_the_next(folder: Path) -> None:
    """As after the machine was switched off: its data is in the volume."""
    before = _redis(folder, detached=True).start()
    with Redis.from_url(before.url) as client:
        client.set("k", "v")
    before.kill()
    with _redis(folder) as after, Redis.from_url(after.url) as client:
        assert client.get("k") == b"v"
        assert after.container_id != before.container_id
        assert not remove_container(str(before.container_id))


def test_the_data_stays_when_the_owner_is_killed(folder: Path) -> None:
    """Its guard removes the container, and not the volume."""
    with subprocess.Popen(  # noqa: S603  # our own script
        [sys.executable, "-c", _OWNER, str(folder)], stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        with Redis.from_url(owner.stdout.readline().strip()) as client:
            client.set("k", "v")
        os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(lambda: not _is_there(KeptVolume(Kind.REDIS, folder).name), within=SOON)
    with _redis(folder) as server, Redis.from_url(server.url) as client:
        assert client.get("k") == b"v"


def _is_there(container: str) -> bool:
    with closing(docker.from_env()) as client:
        try:
            client.containers.get(container)
        except NotFound:
            return False
        return True
