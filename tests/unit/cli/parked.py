"""Parked messages, without a broker."""

from types import SimpleNamespace
from typing import Any, Final, cast

from aiormq.abc import DeliveredMessage

from memlane.producers.cli.dead.letters import Letter, read_letter

HEADERS: Final = {
    "attempt": 4,
    "first-seen": "2026-01-01T00:00:00.000000Z",
    "error-class": "RefusedBySink",
    "error-text": "too large",
    "origin-lane": "redis",
}


# Any: headers and properties as a broker may hold them.
def delivered(body: bytes, headers: dict[str, Any] | None = None, **properties: Any) -> DeliveredMessage:
    """A message as the driver hands it over."""
    said = {"message_id": None, "user_id": None, "headers": HEADERS if headers is None else headers}
    header = SimpleNamespace(properties=SimpleNamespace(**{**said, **properties}))
    return cast("DeliveredMessage", SimpleNamespace(body=body, header=header))


# Any: headers as a broker may hold them.
def letter(body: bytes, headers: dict[str, Any] | None = None) -> Letter:
    """What a message from the queue of sqlite says."""
    return read_letter(delivered(body, headers), "sqlite")
