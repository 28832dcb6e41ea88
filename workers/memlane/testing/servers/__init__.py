"""Real servers to run against: RabbitMQ and Redis, found or started.

`running_servers` is the way in. `PrivateRabbitMQ`, `PrivateRabbitCluster` and `PrivateRedis` are for tests
that stop, kill, freeze or restart a server.
"""

from memlane.testing.servers.errors import (
    DockerFailed,
    InstallFailed,
    NoServerFound,
    ServerError,
    ServerInUse,
    ServerStartFailed,
    ServerUnreachable,
)
from memlane.testing.servers.finding import running_servers
from memlane.testing.servers.found import How, Servers
from memlane.testing.servers.hosting import Hosting, OwnServers, own_servers
from memlane.testing.servers.private_cluster import PrivateRabbitCluster
from memlane.testing.servers.private_rabbitmq import PrivateRabbitMQ
from memlane.testing.servers.private_redis import PrivateRedis
from memlane.testing.servers.server import Certificates, RabbitMQServer, RedisServer, Server

__all__ = [
    "Certificates",
    "DockerFailed",
    "Hosting",
    "How",
    "InstallFailed",
    "NoServerFound",
    "OwnServers",
    "PrivateRabbitCluster",
    "PrivateRabbitMQ",
    "PrivateRedis",
    "RabbitMQServer",
    "RedisServer",
    "Server",
    "ServerError",
    "ServerInUse",
    "ServerStartFailed",
    "ServerUnreachable",
    "Servers",
    "own_servers",
    "running_servers",
]
