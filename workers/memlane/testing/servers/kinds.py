"""The two servers that memlane runs on."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Kind(StrEnum):
    """The servers that memlane runs on; the value is the name for people."""

    RABBITMQ = "RabbitMQ"
    REDIS = "Redis"


VARIABLES: Final[Mapping[Kind, str]] = MappingProxyType(
    {Kind.RABBITMQ: "MEMLANE_AMQP_URL", Kind.REDIS: "MEMLANE_REDIS_URL"}
)
"""The environment variable that holds each server's URL."""
