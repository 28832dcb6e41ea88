"""A sink that fails in odd ways, and quotes in every error what it was given. Installed by the test."""

from collections.abc import Sequence
from datetime import datetime
from typing import Self

from memlane.contracts.address import Address
from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.query import ListQuestion, SearchQuestion
from memlane.contracts.reply import Fetched, Page
from memlane.storage.identity import StoreIdentity
from memlane.storage.memory import MemorySink
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.settings import SinkSettings

BREAKS = "break"
"""A store whose key begins so raises, each time another error."""


class OddSink(MemorySink):
    """Works, but for the keys that begin with `break`."""

    _settings = ""

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:
        """Raises nothing."""
        sink = cls(name=name)
        sink._settings = str(settings)
        return sink

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """Raises for a batch with such a key."""
        for command in commands:
            if isinstance(command, StoreCommand) and command.key.startswith(BREAKS):
                _raise(command)
        return await super().apply(commands, now, repair=repair)

    async def health(self) -> StoreIdentity:
        """Fails the first time, with all settings."""
        settings, self._settings = self._settings, ""
        if settings:
            raise RuntimeError(f"not well with {settings}")
        return await super().health()

    async def fetch(self, addresses: Sequence[Address], as_of: datetime) -> list[Fetched]:
        """Raises what it would have answered."""
        raise LookupError(f"{await super().fetch(addresses, as_of)}")

    async def find(self, question: ListQuestion | SearchQuestion, as_of: datetime) -> Page:
        """Raises what it would have answered."""
        raise KeyError(str(await super().find(question, as_of)))

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """Raises, out of a group."""
        del now, limit, recount, floor
        raise ExceptionGroup(self._settings or "odd", [ValueError(str(vars(self)))])


def _raise(command: StoreCommand) -> None:
    try:
        raise ValueError(  # noqa: TRY301
            f"first {command.value_json} {command.metadata_json}"
        )
    except ValueError as error:
        raise UnicodeEncodeError("utf-8", command.value_json, 0, 1, repr(command)) from error
