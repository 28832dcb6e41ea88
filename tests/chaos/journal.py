"""What a producer wrote down: a line before each command is sent, and one for what became of it.

Both are on the disk before the producer goes on. A producer that is killed in between leaves an intent
without an outcome: its command may have arrived, or not.
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, NamedTuple

from memlane.contracts.address import Address
from memlane.contracts.codec import encode_command
from memlane.contracts.command import COMMAND, AnyCommand, DeleteAddress, DeleteNamespace, StoreCommand
from memlane.contracts.fingerprint import command_hash
from memlane.storage.rows import Scope

Outcome = Literal["confirmed", "queued", "failed"]
PROMISED: Final = frozenset({"confirmed", "queued"})
"""`queued`: the client has it in its outbox, which is a promise as well."""

Place = Address | Scope


class Said(NamedTuple):
    """What one command comes to.

    Attributes:
        version: its id.
        hash: its command hash, which stands for everything that it says.
        place: the address, or what a scope delete covers.
        kind: `store`, `delete` (of one address), or `mark` (a scope delete).
        expires_us: of a store that expires.
    """

    version: str
    hash: str
    place: Place
    kind: Literal["store", "delete", "mark"]
    expires_us: int | None = None


def said_by(command: AnyCommand) -> Said:
    """What a command comes to."""
    hash_ = command_hash(command)
    if isinstance(command, StoreCommand):
        return Said(command.id, hash_, command.address, "store", command.expires_us)
    if isinstance(command, DeleteAddress):
        return Said(command.id, hash_, command.address, "delete")
    namespace = command.namespace if isinstance(command, DeleteNamespace) else None
    return Said(command.id, hash_, Scope(command.user_id, namespace), "mark")


class Journal:
    """Appends to a file; what a method wrote is on the disk when it returns.

    Args:
        path: made if absent. A line that a crash tore is left as it is: its command was not sent.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab")
        if self._file.tell():
            self._file.write(b"\n")

    def intend(self, commands: Iterable[AnyCommand]) -> None:
        """Says that these are sent next."""
        self._write(b'{"intent":' + encode_command(command) + b"}\n" for command in commands)

    def settle(self, commands: Iterable[AnyCommand], outcome: Outcome) -> None:
        """Says what became of them."""
        self._write(b'{"id":"%s","outcome":"%s"}\n' % (c.id.encode(), outcome.encode()) for c in commands)

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _write(self, lines: Iterable[bytes]) -> None:
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fdatasync(self._file.fileno())


@dataclass(slots=True)
class Promises:
    """What all journals say together.

    Attributes:
        confirmed: must have its effect.
        unconfirmed: may have it.
        sends: outcomes that were written down, so more than commands where one was sent again.
    """

    confirmed: list[Said] = field(default_factory=list)
    unconfirmed: list[Said] = field(default_factory=list)
    sends: int = 0

    @property
    def commands(self) -> int:
        """How many different commands were sent, or were about to be."""
        return len(self.confirmed) + len(self.unconfirmed)


def read_journals(paths: Sequence[Path]) -> Promises:
    """Reads all journals of a run."""
    promises = Promises()
    for path in paths:
        outcomes = [line for line in _lines(path) if "outcome" in line]
        promised = {line["id"] for line in outcomes if line["outcome"] in PROMISED}
        promises.sends += len(outcomes)
        for command in intents(path):
            which = promises.confirmed if command.id in promised else promises.unconfirmed
            which.append(said_by(command))
    return promises


def intents(path: Path) -> Iterator[AnyCommand]:
    """The commands of a journal, in their order, each once."""
    for line in _lines(path):
        if "intent" in line:
            yield COMMAND.validate_python(line["intent"], by_alias=True, by_name=False)


def unsettled(path: Path) -> list[AnyCommand]:
    """The commands of which a journal does not say that they were confirmed."""
    promised = {line["id"] for line in _lines(path) if line.get("outcome") in PROMISED}
    return [command for command in intents(path) if command.id not in promised]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    if not path.exists():
        return
    with path.open("rb") as file:
        for line in file:
            try:
                yield json.loads(line)
            except ValueError:
                continue  # torn by a crash, or empty
