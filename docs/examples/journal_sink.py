"""A sink of one's own: memory, and a journal on disk of everything that was done to it."""

import json
import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from memlane.contracts.canonical import parse
from memlane.contracts.codec import encode_command
from memlane.contracts.command import COMMAND, AnyCommand
from memlane.contracts.instants import to_microseconds
from memlane.storage.decide import takes_everything
from memlane.storage.errors import SinkMisconfigured, SinkUnavailable
from memlane.storage.memory import MemorySink
from memlane.storage.memory.sweeping import sweep
from memlane.storage.outcome import Outcome, SweepReport
from memlane.storage.settings import SinkSettings


class JournalSink(MemorySink):
    """Durable: each batch is one line of a file, on the disk before it is applied.

    Whatever happens between the two, the batch comes again, and applying it twice is applying it once.
    """

    durable = True

    def __init__(self, path: Path, *, name: str = "journal") -> None:
        super().__init__(name=name)
        self._path = path
        self._journal: BinaryIO | None = None

    @classmethod
    def from_settings(cls, name: str, settings: SinkSettings) -> Self:  # noqa: ARG003
        """Its file is named by its own environment variable."""
        return cls(Path(os.environ.get("JOURNAL_SINK_PATH", ".memlane/journal")), name=name)

    async def __aenter__(self) -> Self:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._journal = self._path.open("ab+", buffering=0)
        except OSError as error:
            hint = "set JOURNAL_SINK_PATH to a file in a folder that may be written"
            raise SinkMisconfigured(f"can't write {self._path}: {error.strerror}", hint=hint) from error
        self._replay(self._journal)
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await super().__aexit__(kind, error, trace)
        if self._journal is not None:
            self._journal.close()

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """See `Sink.apply`."""
        await self.health()
        encoded = b",".join(map(encode_command, commands))
        self._write(b'{"now":%d,"repair":%d,"commands":[%b]}\n' % (to_microseconds(now), repair, encoded))
        return await super().apply(commands, now, repair=repair)

    async def sweep(
        self, now: datetime, *, limit: int = 1000, recount: int | None = None, floor: str | None = None
    ) -> SweepReport:
        """See `Sink.sweep`."""
        before = self.state.floor
        report = await super().sweep(now, limit=limit, recount=recount, floor=floor)
        if report.expired or report.purged or report.forgotten or self.state.floor != before:
            step = {"now": to_microseconds(now), "limit": limit, "floor": floor}
            self._write(json.dumps(step).encode() + b"\n")
        return report

    def _write(self, line: bytes) -> None:
        if self._journal is None:
            raise SinkUnavailable(f"the sink {self.name} is not open", hint="use it in `async with`")
        end = self._journal.seek(0, os.SEEK_END)
        try:
            self._journal.write(line)
            # A sync holds the event loop up for some milliseconds; a busier sink has a thread for it.
            os.fsync(self._journal.fileno())
        except OSError as error:
            self._journal.truncate(end)
            raise SinkUnavailable(f"can't write {self._path}: {error.strerror}") from error

    def _replay(self, journal: BinaryIO) -> None:
        journal.seek(0)
        *lines, unfinished = journal.read().split(b"\n")
        journal.truncate(journal.tell() - len(unfinished))
        self.wipe()
        if not lines:
            self._write(json.dumps({"incarnation": self.state.incarnation}).encode() + b"\n")
        for line in lines:
            self._redo(line)

    def _redo(self, line: bytes) -> None:
        step = parse(line)
        if "incarnation" in step:
            self.state.incarnation = step["incarnation"]
        elif "commands" in step:
            commands = [COMMAND.validate_python(command) for command in step["commands"]]
            self.state.apply(commands, step["now"], takes_everything, repair=bool(step["repair"]))
        else:
            sweep(self.state, step["now"], step["limit"], recount=None, floor=step["floor"])
