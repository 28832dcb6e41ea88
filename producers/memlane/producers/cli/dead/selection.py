"""Which parked messages are meant."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from memlane.contracts.instants import Instant
from memlane.producers.cli.dead.letters import Letter

_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Conditions, all of which must hold. One that is empty always does.

    Attributes:
        ids: versions of commands, or names of messages.
        errors: classes of errors, in any case of letters.
        older_than: since a lane first failed at it. A message that does not say is neither older nor newer.
        newer_than: likewise.
        every_command: of a message that holds several commands, all must be among the ids.
    """

    ids: frozenset[str] = frozenset()
    errors: frozenset[str] = frozenset()
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    every_command: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether everything is meant."""
        return not (self.ids or self.errors or self.older_than or self.newer_than)

    def takes(self, letter: Letter, now: datetime) -> bool:
        """Whether a message is meant."""
        return (
            (not self.ids or self._is_named(letter))
            and (not self.errors or letter.error.casefold() in {error.casefold() for error in self.errors})
            and self._is_of_age(letter, now)
        )

    def _is_named(self, letter: Letter) -> bool:
        if letter.name in self.ids:
            return True
        named = [command.version in self.ids for command in letter.commands]
        return all(named) if self.every_command else any(named)

    def _is_of_age(self, letter: Letter, now: datetime) -> bool:
        if self.older_than is None and self.newer_than is None:
            return True
        age = age_of(letter, now)
        if age is None:
            return False
        return (self.older_than is None or age > self.older_than) and (
            self.newer_than is None or age < self.newer_than
        )


def age_of(letter: Letter, now: datetime) -> timedelta | None:
    """How long ago a lane first failed at it; None where it does not say."""
    try:
        return now - _INSTANT.validate_python(letter.parked)
    except ValidationError:
        return None
