"""What the demo imports, and what must be there afterwards: a plain dict, read without memlane's importer."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from memlane.contracts.address import Address
from memlane.contracts.identifiers import is_within
from memlane.testing.demo.errors import DemoError

SAMPLE: Final = Path(__file__).with_name("sample.jsonl")
SHARED: Final = Path("../shared/data/sgd_preferences.jsonl")
"""Seen from the project's folder, where `make demo` runs: what real dialogues say of their users."""

MIN_USERS: Final = 3
"""One to ask about, one to delete something of, one to forget."""

# Any: what JSON can say.
Value = Any


def data_path(said: Path | None) -> Path:
    """What to import: what was said, else the shared data where it is, else the project's own sample."""
    if said is not None:
        return said
    return SHARED if SHARED.is_file() else SAMPLE


@dataclass(slots=True)
class Expected:
    """What every sink must hold: the last value said of each address, less what was deleted since.

    Attributes:
        values: by address.
        gone: addresses that were deleted.
        lines: of the file.
    """

    values: dict[Address, Value] = field(default_factory=dict)
    gone: list[Address] = field(default_factory=list)
    lines: int = 0

    @classmethod
    def of(cls, path: Path) -> "Expected":
        """After the import of a file."""
        expected = cls()
        for line in _lines(path):
            said = json.loads(line)
            address = Address(said["user_id"], said.get("namespace", "default"), said["key"])
            expected.values[address] = said["value"]
            expected.lines += 1
        if len(expected.users) < MIN_USERS:
            raise DemoError(f"{path} tells of {len(expected.users)} users: {MIN_USERS} are needed")
        return expected

    @property
    def users(self) -> list[str]:
        """Who has most first; equals by name."""
        counts = Counter(address.user_id for address in self.values)
        return sorted(counts, key=lambda user: (-counts[user], user))

    def of_user(self, user_id: str) -> dict[Address, Value]:
        """What is known of a user."""
        return {address: value for address, value in self.values.items() if address.user_id == user_id}

    def largest_namespace(self, user_id: str) -> str:
        """The top-level namespace in which, or below which, most is known of a user."""
        counts = Counter(address.namespace.split("/")[0] for address in self.of_user(user_id))
        return max(sorted(counts), key=lambda top: counts[top])

    def forget_address(self, address: Address) -> None:
        """One address was deleted."""
        self._forget([address])

    def forget_namespace(self, user_id: str, namespace: str) -> int:
        """A namespace was deleted, and all below it. Returns how many addresses that were."""
        gone = [a for a in self.of_user(user_id) if is_within(a.namespace, namespace)]
        return self._forget(gone)

    def forget_user(self, user_id: str) -> int:
        """A user was forgotten. Returns how many addresses that were."""
        return self._forget(list(self.of_user(user_id)))

    def _forget(self, gone: list[Address]) -> int:
        for address in gone:
            del self.values[address]
        self.gone += gone
        return len(gone)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as source:
        yield from (line for line in source if line.strip())


def word_to_search(known: Mapping[Address, Value]) -> tuple[Address, str]:
    """An address, and the longest word of its value (or else of its key): a search for it must find that."""
    for address, value in known.items():
        words = re.findall(r"[^\W\d_]{4,}", value) if isinstance(value, str) else []
        if words:
            return address, max(words, key=len)
    address = next(iter(known))
    return address, max(re.findall(r"[^\W_]+", address.key), key=len)
