"""A server serves when it greets in its own protocol; an open port is not enough."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from memlane.testing.servers.ports import free_ports
from memlane.testing.servers.probes import amqp_problem, redis_problem

AMQP_START = b"\x01\x00\x00\x00\x00\x01\xdc\x00\x0a\x00\x0a\x00\x09"


def test_amqp_serves_when_it_begins_with_a_method_frame() -> None:
    """The greeting is AMQP 0-9-1's, and no login is tried."""
    with talker(AMQP_START[:2], AMQP_START[2:]) as server:
        assert amqp_problem(f"amqp://guest:guest@{server.address}/") is None
        assert server.heard == [b"AMQP\x00\x00\x09\x01"]


def test_of_a_cluster_one_node_that_serves_is_enough() -> None:
    """And where none does, each says why."""
    (closed,) = free_ports(1)
    dead = f"amqp://guest:guest@127.0.0.1:{closed}/"
    with talker(AMQP_START) as server:
        assert amqp_problem(f"{dead},amqp://guest:guest@{server.address}/") is None
    problem = amqp_problem(f"{dead},{dead}")
    assert problem is not None
    assert problem.count("refused") == 2


def test_another_protocol_on_the_port_is_a_problem() -> None:
    """A web server is not a RabbitMQ."""
    with talker(b"HTTP/1.1 400 Bad Request\r\n") as server:
        problem = amqp_problem(f"amqp://{server.address}/")
    assert problem is not None
    assert "does not speak AMQP 0-9-1" in problem


def test_a_closed_connection_is_a_problem() -> None:
    """So does a RabbitMQ that is still starting behind a proxy look."""
    with talker() as server:
        problem = amqp_problem(f"amqp://{server.address}/")
    assert problem in {"it closed the connection without an answer", "[Errno 104] Connection reset by peer"}


def test_redis_serves_when_it_answers_a_ping() -> None:
    """The answer may come in pieces."""
    with talker(b"+PO", b"NG\r\n") as server:
        assert redis_problem(f"redis://{server.address}/0") is None
        assert server.heard == [b"*1\r\n$4\r\nPING\r\n"]


def test_redis_is_given_the_urls_name_and_password() -> None:
    """Percent-encoded, as URLs have them."""
    with talker(b"+OK\r\n", b"+PONG\r\n") as server:
        assert redis_problem(f"redis://bot:p%40ss@{server.address}/0") is None
        assert server.heard == [b"*3\r\n$4\r\nAUTH\r\n$3\r\nbot\r\n$4\r\np@ss\r\n*1\r\n$4\r\nPING\r\n"]


def test_a_refusal_by_redis_is_told_in_its_own_words() -> None:
    """A missing password is something else than a missing server."""
    with talker(b"-NOAUTH Authentication required.\r\n") as server:
        problem = redis_problem(f"redis://{server.address}")
    assert problem == "it answered '-NOAUTH Authentication required.' to PING"


@pytest.mark.parametrize("url", ["redis://127.0.0.1", "nonsense", "amqp://", "amqp://127.0.0.1:port/"])
def test_a_wrong_url_is_a_problem_and_not_a_crash(url: str) -> None:
    """Whatever somebody wrote there, they are told."""
    assert amqp_problem(url)


def test_a_port_that_nobody_listens_on_is_a_problem() -> None:
    """The system's own words tell which it is."""
    problem = redis_problem(f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    assert problem is not None
    assert "refused" in problem


class Talker:
    """Accepts connections one after the other, reads once from each, and answers in these pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self.heard: list[bytes] = []
        self._pieces = pieces
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"

    def close(self) -> None:
        """Stop accepting, which ends `serve`."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def serve(self) -> None:
        """Serve until closed."""
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(4096))
                for piece in self._pieces:
                    connection.sendall(piece)


@contextmanager
def talker(*pieces: bytes) -> Iterator[Talker]:
    """A talker that runs in a thread of its own meanwhile."""
    running = Talker(*pieces)
    thread = threading.Thread(target=running.serve)
    thread.start()
    try:
        yield running
    finally:
        running.close()
        thread.join(timeout=10)
