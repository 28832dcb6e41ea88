"""The record of what `up` left running."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.testing.servers import How
from memlane.testing.servers.found import Found
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.processes import Identity, end_group, launch
from memlane.testing.servers.record import Record, recorded_source, stop_servers

LEADER = Identity(pid=1, started="once")
RABBITMQ = Found(kind=Kind.RABBITMQ, url="amqp://a/", how=How.INSTALLED, leaders=(LEADER,))
REDIS = Found(kind=Kind.REDIS, url="redis://a/", how=How.DOCKER, container="c1")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """An empty record."""
    return Record(tmp_path)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Identity]:
    """A process, launched as servers are."""
    process = launch(
        ["sleep", "600"], environment={"PATH": os.defpath}, folder=tmp_path, log=tmp_path / "log"
    )
    leader = Identity.of(process.pid)
    assert leader is not None
    yield leader
    end_group(leader, grace=timedelta(0))
    process.wait()


def test_what_is_recorded_is_read_back(record: Record) -> None:
    """By another process, later."""
    assert record.add([RABBITMQ, REDIS]) == []
    assert record.read() == {Kind.RABBITMQ: RABBITMQ, Kind.REDIS: REDIS}


def test_nothing_recorded_is_nothing_left_running(record: Record) -> None:
    """A fresh checkout has no record."""
    assert record.read() == {}
    record.clear()


def test_a_server_that_was_only_found_is_not_recorded(record: Record) -> None:
    """`down` must not stop what somebody else started, nor forget what `up` started before."""
    record.add([RABBITMQ])
    named = Found(kind=Kind.RABBITMQ, url="amqp://elsewhere/", how=How.ENVIRONMENT)

    assert record.add([named, REDIS]) == []

    assert record.read() == {Kind.RABBITMQ: RABBITMQ, Kind.REDIS: REDIS}


def test_what_a_new_server_replaces_is_told(record: Record) -> None:
    """So that it can be stopped: it is recorded no more."""
    record.add([RABBITMQ, REDIS])
    new = Found(kind=Kind.REDIS, url="redis://b/", how=How.DOCKER, container="c2")

    assert record.add([new]) == [REDIS]
    assert record.read()[Kind.REDIS] == new


def test_only_recorded_servers_that_serve_are_used(record: Record) -> None:
    """One that died is looked for elsewhere."""
    record.add([RABBITMQ, REDIS])
    source = recorded_source(record, check={Kind.RABBITMQ: lambda _: "gone", Kind.REDIS: lambda _: None})

    assert source(tuple(Kind)).found == (REDIS,)
    assert source([Kind.RABBITMQ]).found == ()


def test_a_broker_of_another_number_of_nodes_will_not_do(record: Record) -> None:
    """Whoever asks for a cluster gets no single node; whoever asks for nothing takes what is there."""
    cluster = Found(kind=Kind.RABBITMQ, url="amqp://a/,amqp://b/,amqp://c/", how=How.INSTALLED, container="x")
    record.add([cluster])
    check = {Kind.RABBITMQ: lambda _: None, Kind.REDIS: lambda _: None}
    for nodes, found in ((3, (cluster,)), (2, ()), (None, (cluster,))):
        assert recorded_source(record, check=check, nodes=nodes)([Kind.RABBITMQ]).found == found


def test_stopping_ends_the_recorded_processes_and_no_others(sleeper: Identity) -> None:
    """A pid whose process started at another time is somebody else's."""
    stranger = Identity(pid=sleeper.pid, started="earlier")
    server = Found(kind=Kind.REDIS, url="redis://a/", how=How.INSTALLED, leaders=(stranger,))
    assert stop_servers([server]) == []
    assert sleeper.alive()

    server = Found(kind=Kind.REDIS, url="redis://a/", how=How.INSTALLED, leaders=(sleeper,))
    assert stop_servers([server]) == [Kind.REDIS]
    assert not sleeper.alive()
