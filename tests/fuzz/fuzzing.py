"""A stream of fuzzed messages, the same for the same seed (but for versions and the time in them)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Any

from memlane.contracts.codec import BadCommand, decode_message
from memlane.contracts.command import AnyCommand
from memlane.contracts.errors import MalformedMessage
from memlane.contracts.version import version_milliseconds
from memlane.workers.lane.delivery import newest_allowed
from tests.fuzz.mutations import COMMON, HEAVY, RARE
from tests.fuzz.properties import properties
from tests.fuzz.structures import structures
from tests.support.commands import message, raw_message, raw_store, store

RARE_ONE_IN = 200
HEAVY_ONE_IN = 2000
_ONE_PRODUCER = "fuzz"


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """One message, and what has to become of it.

    Attributes:
        number: by which it is told.
        body: of the message.
        properties: of the message; Any: as AMQP has them, right or wrong.
        commands: the versions of the commands in it that keep all rules but those of time.
        bad: how many commands in it break one.
        malformed: nothing in it can be read.
    """

    number: int
    body: bytes
    properties: dict[str, Any]
    commands: tuple[str, ...]
    bad: int
    malformed: bool


def pool_for(count: int, seed: int) -> list[bytes]:
    """Bodies by structure for so many messages. Takes long, so not on a connection that wants heartbeats."""
    return structures(min(max(count // 20, 100), 2000), seed)


def fuzzed(count: int, seed: int, pool: list[bytes]) -> Iterator[Fuzzed]:
    """So many messages: bodies by structure as they are, mutations of those, mutations of valid ones."""
    random = Random(seed)
    for number in range(count):
        yield _made(random, number, _body(random, pool))


def _body(random: Random, pool: list[bytes]) -> bytes:
    if random.randrange(HEAVY_ONE_IN) == 0:
        return random.choice(HEAVY)(random, b"")
    if random.randrange(RARE_ONE_IN) == 0:
        return random.choice(RARE)(random, b"")
    kind = random.random()
    if kind < 0.2:
        return random.choice(pool)
    if kind < 0.3:
        return message(store(f"k{random.randrange(100)}", random.random(), user="fuzz"))
    base = (
        random.choice(pool) if kind < 0.5 else raw_message(raw_store(user_id="fuzz", tags=["a"], metadata={}))
    )
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        base = random.choice(COMMON)(random, base)
    return base


def _made(random: Random, number: int, body: bytes) -> Fuzzed:
    said = properties(random, number)
    commands, bad, malformed = _read(body)
    limit_ms = newest_allowed(datetime.now(UTC))
    if any(version_milliseconds(command.id) > limit_ms - 10_000 for command in commands):
        # Several producers ahead would mean that the worker's own clock is wrong: this is one.
        said |= {"app_id": _ONE_PRODUCER, "user_id": None}
    return Fuzzed(number, body, said, tuple(command.id for command in commands), len(bad), malformed)


def _read(body: bytes) -> tuple[list[AnyCommand], list[BadCommand], bool]:
    """What the codec finds in it. That it finds the right things is for the codec's own tests."""
    try:
        found = decode_message(body)
    except MalformedMessage:
        return [], [], True
    return found.commands, found.bad, False
