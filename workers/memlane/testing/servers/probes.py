"""Asking a server whether it serves: by its own protocol's greeting, not just by an open port."""

import re
import socket
import ssl
from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from memlane.testing.servers.kinds import Kind

LIMIT: Final = timedelta(seconds=5)

# A password may hold a comma; only before another URL does one separate.
_BETWEEN_NODES: Final = re.compile(r"\s*,\s*(?=amqps?://)")
_DEFAULT_PORTS: Final = {"amqp": 5672, "amqps": 5671, "redis": 6379, "rediss": 6379}

Probe = Callable[[str], str | None]
"""Takes a URL; says why nothing serves there, or None where something does."""


def amqp_problem(url: str, *, limit: timedelta = LIMIT) -> str | None:
    """Why no RabbitMQ serves at this URL, or None where one does. Does not log in.

    Of the URLs of a cluster's nodes, separated by commas, one is enough.
    """
    problems = [_node_problem(node, limit) for node in node_urls(url)]
    return None if None in problems else "; ".join(filter(None, problems))


def node_urls(url: str) -> list[str]:
    """The URLs of a cluster's nodes; of a single node, its own."""
    return _BETWEEN_NODES.split(url)


def _node_problem(url: str, limit: timedelta) -> str | None:
    try:
        parts = _parsed(url, "amqp", "amqps")
        answer = _ask(parts, b"AMQP\x00\x00\x09\x01", lambda seen: len(seen) >= 3, limit)  # noqa: PLR2004
    except (OSError, ValueError) as error:
        return _told(error)
    # A server that speaks AMQP 0-9-1 begins with a method frame on channel 0.
    return (
        None
        if answer[:3] == b"\x01\x00\x00"
        else f"it does not speak AMQP 0-9-1: it answered {answer[:20]!r}"
    )


def redis_problem(url: str, *, limit: timedelta = LIMIT) -> str | None:
    """Why no Redis serves at this URL, or None where one does."""
    try:
        parts = _parsed(url, "redis", "rediss")
        commands = _redis_commands(parts)
        text = b"".join(_redis_encoded(words) for words in commands)
        answer = _ask(parts, text, lambda seen: seen.count(b"\r\n") >= len(commands), limit)
    except (OSError, ValueError) as error:
        return _told(error)
    if answer.endswith(b"+PONG\r\n"):
        return None
    return f"it answered {answer[:80].decode(errors='replace').strip()!r} to PING"


def _parsed(url: str, *schemes: str) -> SplitResult:
    parts = urlsplit(url)
    if parts.scheme not in schemes or not parts.hostname:
        raise ValueError(f"it is not a URL that begins with {schemes[0]}:// and names a host")
    return parts


def _ask(parts: SplitResult, text: bytes, enough: Callable[[bytes], bool], limit: timedelta) -> bytes:
    host = parts.hostname or ""
    address = (host, parts.port or _DEFAULT_PORTS[parts.scheme])
    with socket.create_connection(address, timeout=limit.total_seconds()) as connection:
        if parts.scheme not in ("amqps", "rediss"):
            return _exchange(connection, text, enough)
        with ssl.create_default_context().wrap_socket(connection, server_hostname=host) as secured:
            return _exchange(secured, text, enough)


def _exchange(connection: socket.socket, text: bytes, enough: Callable[[bytes], bool]) -> bytes:
    connection.sendall(text)
    seen = b""
    while not enough(seen):
        more = connection.recv(4096)
        if not more:
            raise OSError("it closed the connection without an answer")
        seen += more
    return seen


def _redis_commands(parts: SplitResult) -> list[list[bytes]]:
    if not parts.password:
        return [[b"PING"]]
    name = [unquote(parts.username).encode()] if parts.username else []
    return [[b"AUTH", *name, unquote(parts.password).encode()], [b"PING"]]


def _redis_encoded(words: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def _told(error: Exception) -> str:
    return str(error) or type(error).__name__


PROBES: Final[Mapping[Kind, Probe]] = MappingProxyType(
    {Kind.RABBITMQ: amqp_problem, Kind.REDIS: redis_problem}
)
