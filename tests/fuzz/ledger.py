"""What became of every message: applied, or parked with a reason; nothing twice, nothing not at all."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from aiormq.abc import DeliveredMessage

from memlane.contracts.command import AnyCommand
from memlane.producers.cli.dead.letters import Letter, read_letter
from memlane.storage.outcome import Outcome
from memlane.storage.sqlite import SqliteSink
from tests.fuzz.fuzzing import Fuzzed

_NUMBER: Final = re.compile(r"(\d+):")


class RecordingSqlite(SqliteSink):
    """The real sink, which also notes what it has decided."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.decided: Counter[str] = Counter()

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`."""
        outcomes = await super().apply(commands, now, repair=repair)
        self.decided.update(command.id for command in commands)
        return outcomes


@dataclass(slots=True)
class Ledger:
    """The letters that were parked, by the number of their message."""

    sink: RecordingSqlite
    letters: defaultdict[int, list[tuple[str, frozenset[str]]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    strangers: list[Letter] = field(default_factory=list)
    without_reason: list[Letter] = field(default_factory=list)
    classes: Counter[str] = field(default_factory=Counter)

    def add(self, message: DeliveredMessage) -> None:
        """Notes a letter."""
        letter = read_letter(message, self.sink.name)
        self.classes[letter.error] += 1
        properties = message.header.properties
        # What expired in the queue was parked by the broker, which says no more than that.
        if not letter.error.startswith("broker: ") and not (letter.error and letter.text):
            self.without_reason.append(letter)
        told = _NUMBER.match(properties.correlation_id or "")
        if told is None:
            self.strangers.append(letter)
            return
        versions = frozenset(command.version for command in letter.commands)
        self.letters[int(told[1])].append((letter.error, versions))

    def is_settled(self, one: Fuzzed) -> bool:
        """Whether everything in a message is applied or parked."""
        letters = self.letters.get(one.number, [])
        if one.malformed or one.bad:
            return bool(letters) and self._all_decided(one, letters)
        return self._all_decided(one, letters)

    def problem(self, one: Fuzzed) -> str | None:
        """What is wrong about a message's end; None where nothing is."""
        letters = self.letters.get(one.number, [])
        if not self.is_settled(one):
            return f"{one.number}: neither applied nor parked: {one.body[:200]!r} {one.properties!r:.200}"
        if len(letters) > max(1, one.bad + len(one.commands)):
            return f"{one.number}: parked {len(letters)} times"
        return None

    def _all_decided(self, one: Fuzzed, letters: list[tuple[str, frozenset[str]]]) -> bool:
        parked = {version for _, versions in letters for version in versions}
        decided = self.sink.decided
        if letters and "expiration" in one.properties:
            return True
        return all(version in decided or version in parked for version in one.commands)
