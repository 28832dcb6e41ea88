"""Commands as messages to a lane: as few as there can be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from memlane.contracts.codec import MAX_COMMAND_BYTES, encode_command, encode_envelope
from memlane.contracts.command import AnyCommand
from memlane.contracts.limits import MAX_COMMANDS
from memlane.workers.access import Principal


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message to a lane.

    Attributes:
        principal: on whose behalf; None: the worker's own.
        body: what it says.
        versions: of the commands that the lane will decide.
    """

    principal: Principal | None
    body: bytes
    versions: frozenset[str]


def packed(principal: Principal | None, commands: Iterable[AnyCommand]) -> Iterator[Parcel]:
    """Commands in messages of at most 500, and 1 MiB.

    Raises:
        InvalidInput: one is larger than a message.
    """
    texts: list[bytes] = []
    versions: set[str] = set()
    size = 0
    for command in commands:
        text = encode_command(command)
        if texts and (len(texts) == MAX_COMMANDS or size + len(text) + 1 > MAX_COMMAND_BYTES):
            yield Parcel(principal, encode_envelope(texts), frozenset(versions))
            texts, versions, size = [], set(), 0
        texts.append(text)
        versions.add(command.id)
        size += len(text) + 1
    if texts:
        yield Parcel(principal, encode_envelope(texts), frozenset(versions))
