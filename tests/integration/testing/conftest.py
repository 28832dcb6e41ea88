"""The shipped fixtures on the servers of all tests."""

import pytest

from memlane.testing.servers import RabbitMQServer, RedisServer


@pytest.fixture(scope="session")
def memlane_rabbitmq(rabbitmq_server: RabbitMQServer) -> RabbitMQServer:
    """Which otherwise is one of their own: see tests/acceptance/testing."""
    return rabbitmq_server


@pytest.fixture(scope="session")
def memlane_redis(redis_server: RedisServer) -> RedisServer:
    """Likewise."""
    return redis_server
