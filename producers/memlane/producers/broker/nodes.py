"""The nodes of a broker: one URL, or those of a cluster's nodes, separated by commas."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple
from urllib.parse import SplitResult, unquote, urlsplit

from memlane.contracts.errors import ConfigurationError

# A password may hold a comma; only before another URL does one separate.
_BETWEEN: Final = re.compile(r"\s*,\s*(?=amqps?://)")

_first: Final[dict[str, str]] = {}
"""By the text of the setting: the node's URL to begin with, where that is not the first one."""


class Node(NamedTuple):
    """One node of a broker.

    Attributes:
        url: with the credentials.
        host: its name or address.
        port: its TCP port.
    """

    url: str
    host: str
    port: int


def urls_of(urls: str) -> list[str]:
    """The URLs that a text lists."""
    return _BETWEEN.split(urls.strip())


def nodes_of(urls: str) -> tuple[Node, ...]:
    """The nodes, in the order of the text.

    Raises:
        ConfigurationError: not AMQP URLs, or they differ in account or virtual host.
    """
    parts = [_split(url) for url in urls_of(urls)]
    if len({(_account(part), _vhost(part)) for part in parts}) > 1:
        raise ConfigurationError(
            "the URLs of a broker's nodes differ in account or virtual host",
            hint="in MEMLANE_AMQP_URL, list the nodes of one cluster, with the same account and path",
        )
    return tuple(Node(part.geturl(), part.hostname or "", _port(part)) for part in parts)


def address_of(urls: str) -> str:
    """Hosts, ports and virtual host, without the credentials: fit for logs and errors."""
    places = ",".join(f"{node.host}:{node.port}" for node in nodes_of(urls))
    return f"{places}{_split(urls_of(urls)[0]).path or '/'}"


def user_of(urls: str) -> str:
    """The account that is logged in with."""
    return _account(_split(urls_of(urls)[0]))


def vhost_of(urls: str) -> str:
    """The virtual host."""
    return _vhost(_split(urls_of(urls)[0]))


def in_turn(urls: str) -> Sequence[Node]:
    """The nodes in the order in which to try them: from the one that worked last."""
    nodes = nodes_of(urls)
    start = next((index for index, node in enumerate(nodes) if node.url == _first.get(urls)), 0)
    return nodes[start:] + nodes[:start]


def begin_with(urls: str, node: Node) -> None:
    """Notes that a node let us in: the next connection begins with it."""
    _first[urls] = node.url


def move_on(urls: str, host: str | None, port: int | None) -> None:
    """Notes that a node was lost: the next connection begins with the one behind it."""
    nodes = in_turn(urls)
    # Of several connections that were lost with a node, only the first one moves on.
    if len(nodes) > 1 and (nodes[0].host, nodes[0].port) == (host, port):
        _first[urls] = nodes[1].url


def _split(url: str) -> SplitResult:
    """The URL's parts.

    Raises:
        ConfigurationError: it is not an AMQP URL.
    """
    with suppress(ValueError):
        parsed = urlsplit(url)
        # A comma that did not separate: what follows it is no URL.
        place = f"{parsed.hostname or ','}{parsed.path}"
        if parsed.scheme in {"amqp", "amqps"} and "," not in place and parsed.port != 0:
            return parsed
    hint = "set MEMLANE_AMQP_URL to amqp://user:password@host:port/vhost, or to several with commas between"
    raise ConfigurationError("that is not an AMQP URL", hint=hint)


def _port(parsed: SplitResult) -> int:
    return parsed.port or (5671 if parsed.scheme == "amqps" else 5672)


def _account(parsed: SplitResult) -> str:
    return unquote(parsed.username or "guest")


def _vhost(parsed: SplitResult) -> str:
    return unquote(parsed.path[1:]) or "/"
