"""AMQP properties and headers that no producer of ours writes."""

from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from memlane.contracts import headers
from memlane.contracts.headers import REPLY_TO_PREFIX

REPLY_TO_ONE_IN: Final = 400
"""A reply address that is crafted costs the lane a connection, one made for that."""


class Bytes(str):
    """A short string that goes out as bytes that are no UTF-8, as another language's client may send it."""

    __slots__ = ()

    def encode(self, encoding: str = "utf-8", errors: str = "strict") -> bytes:  # noqa: ARG002
        """See `str.encode`."""
        return str.encode(self, "latin-1", "replace")


class FarAway(datetime):
    """A timestamp that goes out as a number that no calendar has."""

    def timestamp(self) -> float:
        """See `datetime.timestamp`."""
        return 2.0**63


_TEXTS: Final = (
    "",
    "x",
    "x" * 255,
    "\x00\x1b[31m",
    Bytes("\xff\xfe\x80"),
    "application/json",
    "gzip",
    "ü" * 100,
)
_SCALARS: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, 2**31, 2**63 - 1, -(2**63), 1.5, 1e30, -1e-30, "", "99",
    "x" * 20_000, "\x00", bytearray(b"\xff\x00"), datetime(2026, 1, 1, tzinfo=UTC), [], {},
    ["a", 1, [None]], {"a": {"b": []}},
)  # fmt: skip
_NAMES: Final = (
    headers.ATTEMPT, headers.FIRST_SEEN, headers.ERROR_CLASS, headers.ERROR_TEXT, headers.ORIGIN_LANE,
    headers.PRINCIPAL, headers.TRACEPARENT, "on_behalf_of", "x-delivery-count", "x-death",
    "x-first-death-queue",
    "x-last-death-reason", "x-stream-offset", "x-delay", "x-acquired-count", "any", "x" * 128, Bytes("\xe9"),
)  # fmt: skip
_DEATHS: Final[tuple[Any, ...]] = (
    [
        {
            "count": 10**9,
            "reason": "rejected",
            "queue": "memlane.sqlite.writes.v1",
            "exchange": "memlane.commands",
        }
    ],
    [{"count": -1}, 7, None],
    "text",
    7,
    [],
)


# Any: properties as AMQP has them, right or wrong.
def properties(random: Random, number: int) -> dict[str, Any]:
    """Of one message; by its `correlation_id` it can be told wherever it ends up.

    Only what RabbitMQ takes: it refuses another account, a header that is NaN or a decimal, and the like.
    """
    said: dict[str, Any] = {"correlation_id": f"{number}:"}
    if random.random() < 0.5:
        said["headers"] = _headers(random)
    for name in ("content_type", "content_encoding", "message_id", "message_type", "app_id"):
        if random.random() < 0.15:
            said[name] = random.choice(_TEXTS)
    if random.random() < 0.1:
        said["correlation_id"] = Bytes(f"{number}:\x00\xff{'x' * random.randrange(200)}")
    if random.random() < 0.1:
        said["priority"] = random.choice((0, 1, 9, 255))
    if random.random() < 0.1:
        said["timestamp"] = random.choice((datetime(9999, 1, 1, tzinfo=UTC), FarAway(2026, 1, 1)))
    if random.random() < 0.05 and "x-death" not in said.get("headers", {}):
        said["expiration"] = random.choice(("0", "1", "60000", "4294967295"))
    if random.random() < 0.1:
        said["reply_to"] = _reply_to(random)
    if random.random() < 0.1:
        said["user_id"] = "guest"
    return said


def _headers(random: Random) -> dict[str, Any]:
    found = {random.choice(_NAMES): random.choice(_SCALARS) for _ in range(random.randint(1, 4))}
    if random.random() < 0.2:
        found["x-death"] = random.choice(_DEATHS)
    if random.random() < 0.2:
        found[headers.ATTEMPT] = random.choice((1, 2, 3, 4, 1000, 1001, "2", 2**40, -5))
    return found


def _reply_to(random: Random) -> str:
    if random.randrange(REPLY_TO_ONE_IN // 10) == 0:
        return REPLY_TO_PREFIX + random.choice(("", "x", "g1.\x00"))
    return random.choice(("memlane.sqlite.dead.v1", "memlane.commands", "", "x" * 255))
