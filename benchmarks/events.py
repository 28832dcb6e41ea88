"""What is stored: statements that people made in real dialogues, each at an address of its own.

`../shared/data/sgd_preferences.jsonl` beside the project, where it is there, else made-up statements. They
are repeated for more users until there are enough.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Final

from memlane.contracts.clock import HybridClock
from memlane.contracts.codec import encode_message
from memlane.contracts.command import StoreCommand

_FILE: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "sgd_preferences.jsonl"
_TALK: Final = """
a table for two near the river at eight in the evening with live music and no meat please because my sister
is coming from Madrid and likes quiet places where one can talk about books
"""


@dataclass(frozen=True, slots=True)
class Event:
    """One statement."""

    user_id: str
    namespace: str
    key: str
    value: str
    metadata: dict[str, str | int]

    @property
    def place(self) -> tuple[str, str, str]:
        """Its address."""
        return self.user_id, self.namespace, self.key


@cache
def statements() -> tuple[Event, ...]:
    """The statements before they are repeated."""
    found = _read() if _FILE.exists() else _made_up()
    return tuple({event.place: event for event in found}.values())


def events(count: int) -> Iterator[Event]:
    """So many statements, no two of them at the same address."""
    return islice(_endless(), count)


def commands(count: int) -> Iterator[StoreCommand]:
    """The same as commands, with rising versions."""
    clock = HybridClock()
    for event in events(count):
        yield StoreCommand.model_validate(
            {
                "id": clock.next(),
                "user_id": event.user_id,
                "namespace": event.namespace,
                "key": event.key,
                "value": event.value,
                "metadata": event.metadata,
            }
        )


def write_bodies(path: Path, count: int, per_message: int) -> Path:
    """Writes messages that store so many statements, a message a line; returns the path."""
    stream = commands(count)
    with path.open("wb") as file:
        while batch := list(islice(stream, per_message)):
            file.write(encode_message(batch) + b"\n")
    return path


def stored_values(bodies_file: Path) -> dict[str, str]:
    """What prepared messages store: the canonical JSON of the value, by version."""
    found: dict[str, str] = {}
    with bodies_file.open("rb") as lines:
        for line in lines:
            for command in json.loads(line)["commands"]:
                found[command["id"]] = json.dumps(command["value"], ensure_ascii=False)
    return found


def _endless() -> Iterator[Event]:
    copy = 0
    while True:
        for event in statements():
            yield Event(f"{event.user_id}-{copy}", event.namespace, event.key, event.value, event.metadata)
        copy += 1


def _read() -> Iterator[Event]:
    with _FILE.open(encoding="utf-8") as lines:
        for line in lines:
            said = json.loads(line)
            metadata = {"turn": said["turn"], "utterance": said["utterance"]}
            yield Event(said["user_id"], said["namespace"], said["key"], said["value"], metadata)


def _made_up() -> Iterator[Event]:
    dice = random.Random(7)
    words = _TALK.split()
    for number in range(4000):
        text = " ".join(dice.choices(words, k=dice.randint(8, 25)))
        value = " ".join(text.split()[: dice.randint(1, 4)])
        metadata: dict[str, str | int] = {"turn": number % 12, "utterance": text}
        yield Event(f"user_{number // 5:05}", f"Service_{number % 7}", f"slot_{number % 5}", value, metadata)
