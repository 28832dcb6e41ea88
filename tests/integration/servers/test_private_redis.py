"""A private Redis can be restarted, killed and frozen, and goes without a trace."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import TimeoutError as RedisTimeout

from memlane.testing.servers import PrivateRedis, ServerInUse, ServerStartFailed
from memlane.testing.servers.ports import is_free

pytestmark = [
    pytest.mark.processes,
    pytest.mark.usefixtures("installed"),
    pytest.mark.timeout(120, func_only=True),
]


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[PrivateRedis]:
    """A Redis that serves, and keeps its data on disk."""
    with PrivateRedis(tmp_path, durable=True) as server:
        yield server


def client(server: PrivateRedis) -> "closing[Redis]":
    """A client that neither retries nor waits for long."""
    return closing(Redis.from_url(server.url, socket_timeout=0.3, retry=None))


def test_a_started_server_serves_at_its_url(redis: PrivateRedis) -> None:
    """At once: start returns when it does. It never evicts."""
    with client(redis) as connection:
        assert connection.ping()
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_restart_keeps_the_port_and_the_data(redis: PrivateRedis) -> None:
    """Clients find again what they wrote, where they wrote it."""
    url = redis.url
    with client(redis) as connection:
        connection.set("color", "blue")

    redis.restart()

    assert redis.url == url
    with client(redis) as connection:
        assert connection.get("color") == b"blue"


def test_without_durable_a_restart_is_a_fresh_start(tmp_path: Path) -> None:
    """Tests leave nothing on the disk."""
    with PrivateRedis(tmp_path / "another") as server:
        with client(server) as connection:
            connection.set("color", "blue")
        server.restart()
        with client(server) as connection:
            assert connection.get("color") is None


def test_a_killed_server_is_gone_at_once_and_can_be_started_again(redis: PrivateRedis) -> None:
    """On the same port."""
    port = redis.port

    redis.kill()

    assert not redis.running
    assert is_free(port)
    redis.start()
    with client(redis) as connection:
        assert connection.ping()


def test_a_frozen_server_answers_nothing_until_it_thaws(redis: PrivateRedis) -> None:
    """Its connections stay open: what was asked meanwhile is answered then."""
    with client(redis) as connection:
        connection.ping()
        redis.freeze()
        assert redis.running
        with pytest.raises(RedisTimeout):
            connection.ping()
        redis.thaw()
        assert connection.ping()


def test_a_frozen_server_can_be_stopped(redis: PrivateRedis) -> None:
    """No test hangs in its clean-up."""
    redis.freeze()
    redis.stop()
    assert not redis.running


def test_stopping_and_starting_twice_is_once(redis: PrivateRedis) -> None:
    """Both say what is to be, not what is to be done."""
    leaders = redis.leaders
    redis.start()
    assert redis.leaders == leaders
    redis.stop()
    redis.stop()
    assert redis.leaders == []


def test_more_arguments_win(tmp_path: Path) -> None:
    """An evicting Redis, to see that memlane refuses it."""
    arguments = ("--maxmemory", "10mb", "--maxmemory-policy", "allkeys-lru")
    with PrivateRedis(tmp_path / "evicting", arguments=arguments) as server, client(server) as connection:
        assert connection.config_get("maxmemory-policy") == {"maxmemory-policy": "allkeys-lru"}


def test_a_server_that_does_not_start_shows_its_last_words(tmp_path: Path) -> None:
    """And names the file where the rest of them are."""
    server = PrivateRedis(tmp_path / "broken", arguments=("--maxmemory", "plenty"))

    with pytest.raises(ServerStartFailed) as caught:
        server.start()

    assert "exit code 1" in caught.value.cause
    assert "maxmemory" in caught.value.cause
    assert str(server.log_file) in caught.value.cause
    assert not server.running


def test_a_data_directory_is_used_by_one_server_at_a_time(redis: PrivateRedis) -> None:
    """The second one is refused, and the first goes on."""
    second = PrivateRedis(redis.data_dir)

    with pytest.raises(ServerInUse):
        second.start()
    second.stop()

    with client(redis) as connection:
        assert connection.ping()
    with pytest.raises(ServerInUse):
        second.start()
