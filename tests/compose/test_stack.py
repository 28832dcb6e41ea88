"""What the compose stack promises: it ends healthy, scales, and keeps what it was told."""

import json
import secrets
import subprocess
from pathlib import Path
from typing import Final

import pytest

from memlane.contracts.topology import lane_queue
from tests.compose.conftest import IMAGE, Stack, docker, new_name, remove_leftovers

pytestmark = pytest.mark.timeout(600)

MEGABYTES: Final = 1_000_000
ROLES: Final = {
    "lane-sqlite",
    "lane-redis",
    "responder-sqlite",
    "responder-redis",
    "rebuilder-sqlite",
    "rebuilder-redis",
    "aggregator",
    "reconciler",
    "sweeper",
}


def test_the_image_is_small_and_runs_as_nobody_special() -> None:
    """Under 200 MB over its base; uid 1001; it says whether it is healthy; it has no pip."""
    image = json.loads(docker("image", "inspect", IMAGE))[0]
    base = json.loads(docker("image", "inspect", "python:3.11-slim"))[0]
    assert image["Size"] - base["Size"] < 200 * MEGABYTES
    assert image["Config"]["User"] == "1001:1001"
    assert "/readyz" in " ".join(image["Config"]["Healthcheck"]["Test"])
    assert docker("run", "--rm", IMAGE, "id", "-u") == "1001"
    assert "memlane" in docker("run", "--rm", IMAGE, "memlane", "--version")
    listed = docker("run", "--rm", IMAGE, "ls", "/opt/memlane/bin")
    assert "pip" not in listed.split()


def test_it_ends_healthy_and_keeps_everything(stack: Stack) -> None:
    """Up, store, search, down, up: still there. Passwords are files, and stay the same."""
    stack.up("all")
    services = stack.services()
    healthy = {name for name, of in services.items() if of[0]["Health"] == "healthy"}
    assert healthy == {"rabbitmq", "redis", "memlane"}
    password = stack.password("producer")
    with stack.client() as client:
        receipt = client.store("ada", "tea", {"likes": "oolong"}, wait="all")
        assert receipt.applied == {"sqlite", "redis"}
        assert [hit.entry.key for hit in client.search("ada", "oolong").hits] == ["tea"]
    stack.down()
    assert stack.services() == {}
    stack.up("all")
    assert stack.password("producer") == password
    with stack.client() as client:
        entry = client.get("ada", "tea", consistency="all")
        assert entry is not None
        assert entry.version == receipt.version
        assert client.health().sinks == {"sqlite": "ok", "redis": "ok"}


def test_stopping_and_upgrading_lose_nothing(stack: Stack, tmp_path: Path) -> None:
    """What is confirmed is applied, whether the workers were stopped amidst, or replaced by a new image."""
    stack.up("all")
    with stack.client() as client:
        client.store_many("ada", {f"k{number}": number for number in range(1000)})
        stack.compose("stop", "memlane")
        client.store_many("ada", {f"k{number}": number for number in range(1000, 2000)})
    stack.down()
    stack.up("all")
    newer = f"memlane:{stack.name}"
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nLABEL release=newer\n")
    docker("build", "--quiet", "--tag", newer, str(tmp_path))
    stack.environment["STACK_IMAGE"] = newer
    try:
        stack.up("all")
        assert newer in stack.services()["memlane"][0]["Image"]
        with stack.client() as client:
            client.store("ada", "last", 1, wait="all")
            assert len(list(client.iterate("ada"))) == 2001
            sinks = client.stats("ada").sinks
            assert {name: of.stats and of.stats.live for name, of in sinks.items()} == {
                "sqlite": 2001,
                "redis": 2001,
            }
        stack.down()
    finally:
        docker("rmi", newer)
        del stack.environment["STACK_IMAGE"]


def test_roles_run_apart_and_scale(stack: Stack) -> None:
    """Three containers of one lane share its work; the others need not know."""
    stack.up("roles", "--scale", "lane-sqlite=3")
    services = stack.services()
    assert {name for name, of in services.items() if all(one["Health"] == "healthy" for one in of)} >= ROLES
    assert len(services["lane-sqlite"]) == 3
    queue = lane_queue("sqlite")
    consumers = stack.control("list_consumers", "-p", "memlane", "--formatter", "json")
    channels = [one["channel_pid"] for one in json.loads(consumers) if one["queue_name"] == queue]
    assert len(set(channels)) == 3
    before = _received(stack)
    with stack.client() as client:
        for number in range(600):
            client.store("ada", f"k{number}", "x" * 1000)
        client.store("ada", "last", 1, wait="all")
        assert len(list(client.iterate("ada"))) == 601
    shares = {name: got - before[name] for name, got in _received(stack).items()}
    assert len(shares) == 3
    assert min(shares.values()) > 50_000, shares


def _received(stack: Stack) -> dict[str, int]:
    """The bytes that each container of the lane has got from the broker."""
    found = {}
    for one in stack.services()["lane-sqlite"]:
        lines = docker("exec", one["Name"], "cat", "/proc/net/dev").splitlines()
        (counts,) = (line.split(":")[1].split() for line in lines if line.strip().startswith("eth0:"))
        found[one["Name"]] = int(counts[0])
    return found


def test_an_account_sees_only_its_own(stack: Stack) -> None:
    """The producer may publish and ask, and read no queue; there is no guest; Redis wants a password."""
    stack.up("all")
    listed = stack.control("list_permissions", "-p", "memlane", "--formatter", "json")
    rights = {one["user"]: (one["configure"], one["read"]) for one in json.loads(listed)}
    assert rights["producer"] == ("^$", "^$")
    assert set(rights) == {"producer", "gateway", "worker", "operator"}
    assert "guest" not in stack.control("list_users")
    assert "NOAUTH" in stack.compose("exec", "-T", "redis", "redis-cli", "get", "x")
    logs = stack.compose("--profile", "*", "logs")
    assert all(f"{service}-1" in logs for service in ("rabbitmq", "redis", "memlane"))
    for account in ("producer", "gateway", "worker", "operator", "redis"):
        assert stack.password(account) not in logs


def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path: Path) -> None:
    """Containers, volumes and networks of a process that is gone; nobody else's."""
    with subprocess.Popen(["true"]) as ended:  # noqa: S607  found on the path
        pass
    dead = Stack(f"memlane-test-{ended.pid}-1234abcd-{secrets.token_hex(4)}", tmp_path)
    alive = Stack(new_name(), tmp_path)
    try:
        for stack in (dead, alive):
            stack.compose("create", "setup")
        assert remove_leftovers(tmp_path) == [dead.name]
        assert dead.services() == {}
        assert set(alive.services()) == {"setup"}
        assert dead.name not in docker("volume", "ls") + docker("network", "ls")
    finally:
        for stack in (dead, alive):
            stack.down("--volumes", "--remove-orphans")
