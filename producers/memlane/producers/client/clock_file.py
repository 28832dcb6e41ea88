"""A producer's clock over restarts: the newest version, kept in a file.

So that versions rise strictly even where the machine's clock was set back in between. Writes are a
second apart at the least; a file that can't be written only costs that guarantee, and is said once.
"""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from memlane.contracts.clock import HybridClock
from memlane.contracts.identifiers import Version
from memlane.producers import log_keys

log: Final = structlog.get_logger("memlane.client")

_VERSION: Final[TypeAdapter[str]] = TypeAdapter(Version)
_SECONDS_BETWEEN_WRITES: Final = 1.0


class ClockFile:
    """Loads and saves a clock's newest version. Several processes may share the file.

    Args:
        path: made, with its folder, at the first save; None keeps nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._saved_at = 0.0
        self._failed = False
        self._saving: asyncio.Future[None] | None = None

    def load(self) -> HybridClock:
        """A clock that goes on behind the newest version that was saved."""
        return HybridClock(last=self._read())

    def save_sometimes(self, clock: HybridClock) -> None:
        """Begins to save, unless that was done within the last second. Does not hold up the caller."""
        if time.monotonic() - self._saved_at >= _SECONDS_BETWEEN_WRITES and clock.last is not None:
            self._saved_at = time.monotonic()
            # The disk may take its time, and the event loop has other things to do.
            self._saving = asyncio.get_running_loop().run_in_executor(None, self._save, clock.last)

    async def save(self, clock: HybridClock) -> None:
        """Saves the clock's newest version, unless another process saved a newer one."""
        if self._saving is not None:
            await self._saving
        if clock.last is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._save, clock.last)

    def _save(self, version: str) -> None:
        if self._path is None or self._failed:
            return
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self._path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
            temporary.write_text(max(version, self._read() or ""))
            temporary.replace(self._path)
        except OSError as error:
            self._failed = True
            log.warning(
                "the clock can't be kept: after a restart, versions rise only as the machine's time does",
                **{log_keys.ERROR: str(error)},
            )

    def _read(self) -> str | None:
        if self._path is None:
            return None
        try:
            return _VERSION.validate_python(self._path.read_text().strip())
        except (OSError, ValidationError, UnicodeDecodeError):
            return None
