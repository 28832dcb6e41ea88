"""Free TCP ports for private servers."""

import random
import socket
from collections.abc import Container

LOOPBACK = "127.0.0.1"

# Below the range that systems hand out to outgoing connections, so that a port stays free while its server
# restarts; and so low that what RabbitMQ's scripts derive from one (at most 30,010 above it) is below 65536.
FIRST, LAST = 20_000, 31_999

# What a RabbitMQ that somebody installed as a service listens on: never ours, even while that one is stopped.
STANDARD = frozenset({25672})


def free_ports(count: int, *, taken: Container[int] = ()) -> tuple[int, ...]:
    """Choose distinct ports on which nothing listens now.

    Args:
        count: How many.
        taken: Ports not to choose.

    Raises:
        OSError: Too few ports are free.
    """
    chosen: list[int] = []
    for port in random.sample(range(FIRST, LAST + 1), LAST + 1 - FIRST):
        if len(chosen) == count:
            break
        if port not in STANDARD and port not in taken and is_free(port):
            chosen.append(port)
    if len(chosen) < count:
        raise OSError(f"fewer than {count} free ports between {FIRST} and {LAST} on {LOOPBACK}")
    return tuple(chosen)


def is_free(port: int) -> bool:
    """Whether a server could listen on this port, on every address of this machine."""
    with socket.socket() as probe:
        # As the servers do: a port whose last connections are in TIME_WAIT can be listened on.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
