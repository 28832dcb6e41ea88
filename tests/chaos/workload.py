"""What producers write: real and random addresses, stored, overwritten and deleted, from a seed."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

from memlane.contracts.address import Address
from memlane.contracts.clock import HybridClock
from memlane.contracts.command import AnyCommand, DeleteAddress, DeleteNamespace, DeleteUser, StoreCommand

REAL: Final = 400
"""Lines of real dialogues whose addresses are used."""

RANDOM_USERS: Final = 15
KEYS_OF_A_USER: Final = 20

_LETTERS: Final = "abcXYZ019 _-.:äßΩ漢🙂"
_WORDS: Final = ("likes", "green", "tea", "in", "the", "morning", "Zürich", "never", "after", "midnight")
_LONG_WORDS: Final = 2000
_LIFE_SECONDS: Final = (1.0, 15.0)


def universe(seed: int, data: Path) -> list[Address]:
    """The addresses of a run, the same for all of its producers: those in the data, and random ones."""
    return [*_real(data), *_random(Random(f"{seed} addresses"))]


def _real(path: Path) -> list[Address]:
    with path.open(encoding="utf-8") as file:
        said = [json.loads(line) for line in list(file)[:REAL] if line.strip()]
    found = [Address(one["user_id"], one.get("namespace", "default"), one["key"]) for one in said]
    return list(dict.fromkeys(found))


def _random(rng: Random) -> list[Address]:
    found = []
    for user in range(RANDOM_USERS):
        for _ in range(KEYS_OF_A_USER):
            namespace = "/".join(_name(rng, 6) for _ in range(rng.randint(1, 3)))
            found.append(Address(f"random {user}", namespace, _name(rng, 20)))
    return list(dict.fromkeys(found))


def _name(rng: Random, most: int) -> str:
    # Few first letters, so that namespaces share their beginnings, and scope deletes meet something.
    return rng.choice("abAB") + "".join(rng.choice(_LETTERS) for _ in range(rng.randint(0, most - 1)))


@dataclass(slots=True)
class Workload:
    """Makes commands.

    Attributes:
        rng: all choices come from it.
        addresses: to choose from.
        clock: where versions come from.
    """

    rng: Random
    addresses: Sequence[Address]
    clock: HybridClock

    def command(self) -> AnyCommand:
        """The next command."""
        address = self.rng.choice(self.addresses)
        kinds: tuple[tuple[float, Callable[[Address], AnyCommand]], ...] = (
            (0.80, self._store),
            (0.03, self._short_lived),
            (0.158, self._delete),
            (0.01, self._delete_namespace),
            (0.002, self._forget),
        )
        weights = [weight for weight, _ in kinds]
        make = self.rng.choices([make for _, make in kinds], weights)[0]
        return make(address)

    def _store(self, address: Address) -> StoreCommand:
        return StoreCommand(id=self.clock.next(), **address._asdict(), value_json=self._value())

    def _short_lived(self, address: Address) -> StoreCommand:
        expires_at = datetime.now(UTC) + timedelta(seconds=self.rng.uniform(*_LIFE_SECONDS))
        return StoreCommand(
            id=self.clock.next(), **address._asdict(), value_json=self._value(), expires_at=expires_at
        )

    def _delete(self, address: Address) -> DeleteAddress:
        return DeleteAddress(id=self.clock.next(), **address._asdict())

    def _delete_namespace(self, address: Address) -> DeleteNamespace:
        parts = address.namespace.split("/")
        namespace = "/".join(parts[: self.rng.randint(1, len(parts))])
        return DeleteNamespace(id=self.clock.next(), user_id=address.user_id, namespace=namespace)

    def _forget(self, address: Address) -> DeleteUser:
        return DeleteUser(id=self.clock.next(), user_id=address.user_id)

    # Any: any JSON.
    def _value(self) -> Any:
        words = _LONG_WORDS if self.rng.random() < 0.002 else self.rng.randint(1, 12)
        return {
            "text": " ".join(self.rng.choices(_WORDS, k=words)),
            "number": self.rng.choice((0, -1, 1e300, 2**70, 0.1)),
            "empty": self.rng.choice(([], {}, "", None)),
        }


def skewed_clock(skew: timedelta, last: str | None) -> HybridClock:
    """A clock that is wrong by so much, of a producer that has started again."""
    milliseconds = skew // timedelta(milliseconds=1)
    return HybridClock(lambda: time.time_ns() // 1_000_000 + milliseconds, last=last)
