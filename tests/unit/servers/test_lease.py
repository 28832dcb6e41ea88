"""A data directory belongs to one server at a time."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.testing.servers import ServerInUse
from memlane.testing.servers.lease import Lease
from memlane.testing.servers.processes import Identity, end_group, launch

GONE = Identity(pid=os.getpid(), started="before this process")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Identity]:
    """Something that runs."""
    process = launch(
        ["sleep", "600"], environment={"PATH": os.defpath}, folder=tmp_path, log=tmp_path / "log"
    )
    leader = Identity.of(process.pid)
    assert leader is not None
    yield leader
    process.kill()
    process.wait()


def test_a_new_directory_is_free(tmp_path: Path) -> None:
    """Nothing is recorded there."""
    with Lease(tmp_path).taking():
        ...


def test_a_directory_whose_owner_lives_is_taken(tmp_path: Path, server: Identity) -> None:
    """Two servers on one directory would ruin it; the message says whose it is, and what to do."""
    lease = Lease(tmp_path)
    lease.write([server], detached=False)

    with pytest.raises(ServerInUse) as caught, lease.taking():
        ...

    assert f"process {os.getpid()}" in caught.value.cause
    assert "make services-down" in caught.value.hint
    assert server.alive()


def test_a_server_left_running_on_purpose_is_not_a_leftover(tmp_path: Path, server: Identity) -> None:
    """Its starter is gone as it should be."""
    lease = Lease(tmp_path)
    lease.write([server], detached=True)

    with pytest.raises(ServerInUse, match="left running on purpose"), lease.taking():
        ...
    assert server.alive()


def test_what_a_dead_owner_left_running_is_ended(
    tmp_path: Path, server: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that was killed outright could not stop its servers."""
    lease = Lease(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(Identity, "of", lambda _: GONE)
        lease.write([server], detached=False)

    with lease.taking():
        assert not server.alive()


def test_a_recorded_pid_that_somebody_else_has_now_is_left_alone(tmp_path: Path, server: Identity) -> None:
    """After a reboot, say: the directory is free, and the stranger lives."""
    record = {"owner": asdict(GONE), "leaders": [{"pid": server.pid, "started": "earlier"}]}
    tmp_path.joinpath("processes.json").write_text(json.dumps(record))

    with Lease(tmp_path).taking():
        assert server.alive()


def test_a_directory_is_free_once_its_servers_have_ended(tmp_path: Path, server: Identity) -> None:
    """Even if nobody cleared the record."""
    lease = Lease(tmp_path)
    lease.write([server], detached=True)
    end_group(server, grace=timedelta(0))
    with lease.taking():
        ...
