"""Who uses a server's data directory: two servers on one would ruin it."""

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

from memlane.testing.servers.errors import ServerInUse
from memlane.testing.servers.processes import Identity, end_group

RECORD = "processes.json"


class Lease:
    """The record, in a data directory, of the processes that run on it and of the process that owns them.

    Args:
        folder: The data directory, which exists.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._record = folder / RECORD

    @staticmethod
    def is_in(folder: Path) -> bool:
        """Whether there is one in a folder."""
        return (folder / RECORD).is_file()

    @contextmanager
    def taking(self) -> Iterator[None]:
        """Hold the directory while a server is started on it; what a dead owner left running is ended first.

        Raises:
            ServerInUse: A server runs here whose owner lives, or which was left running on purpose.
        """
        with self._folder.joinpath("lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._end_leftovers()
            yield

    def end_if_left_over(self) -> None:
        """End what runs here if its owner is dead; nothing else."""
        try:
            owner, leaders = self._read()
        except (OSError, ValueError, TypeError, KeyError):  # somebody else's, or being written
            return
        if owner is not None and not owner.alive():
            for leader in reversed(leaders):
                end_group(leader, grace=timedelta(seconds=5))

    def write(self, leaders: Sequence[Identity], *, detached: bool) -> None:
        """Record what runs here; a detached server has no owner: it is to outlive whoever started it."""
        owner = None if detached else Identity.of(os.getpid())
        record = {"owner": owner and asdict(owner), "leaders": [asdict(leader) for leader in leaders]}
        draft = self._record.with_suffix(".new")
        draft.write_text(json.dumps(record), encoding="utf-8")
        draft.replace(self._record)

    def clear(self) -> None:
        """Nothing runs here any more."""
        self._record.unlink(missing_ok=True)

    def _end_leftovers(self) -> None:
        owner, leaders = self._read()
        running = [leader for leader in leaders if leader.alive()]
        if running and (owner is None or owner.alive()):
            whose = (
                "left running on purpose" if owner is None else f"of process {owner.pid}, which still runs"
            )
            raise ServerInUse(
                f"cannot start a server in {self._folder}",
                cause=f"one runs there already, {whose}",
                hint="to share one, start it by `make services`; `make services-down` stops that",
            )
        for leader in reversed(running):
            end_group(leader, grace=timedelta(seconds=10))
        self.clear()

    def _read(self) -> tuple[Identity | None, list[Identity]]:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None, []
        owner = record["owner"]
        return Identity(**owner) if owner else None, [Identity(**leader) for leader in record["leaders"]]
