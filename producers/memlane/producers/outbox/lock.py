"""One process at a time sends what waits for a target."""

import fcntl
import os
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

from memlane.contracts.errors import OutboxFailed


class DrainLock:
    """A lock on a file beside the outbox, free again when its holder has ended, however that was.

    Args:
        outbox: the outbox's file.
        target: whose entries it is about.

    Attributes:
        held: whether we have it; in a `with` block, which tries once and does not wait.
    """

    def __init__(self, outbox: Path, target: str) -> None:
        digest = blake2b(target.encode(), digest_size=4).hexdigest()
        self.held = False
        self._path = outbox.with_name(f"{outbox.stem}-{digest}.lock")
        self._file = -1

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OutboxFailed(f"can't make the lock {self._path}: {error}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.held = True
        except OSError:
            os.close(self._file)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: to remove it would let two processes hold a lock each.
        if self.held:
            self.held = False
            os.close(self._file)
