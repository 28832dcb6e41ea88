"""The SQLite file of the outbox: durable, bounded, shared by the processes of one machine and user."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from memlane.contracts.codec import version_of
from memlane.contracts.errors import OutboxError, OutboxFailed, OutboxFull
from memlane.contracts.instants import now
from memlane.producers.outbox.schema import TABLES, USER_VERSION
from memlane.producers.outbox.status import OutboxEntry, OutboxStatus

BUSY_SECONDS: Final = 10.0
"""How long one process waits for another one that writes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

Result = TypeVar("Result")


class Row(NamedTuple):
    """A command that waits."""

    id: int
    command: bytes


class Bounds(NamedTuple):
    """How much may wait: bytes of all commands in the file, and for how long the oldest of a target."""

    most_bytes: int
    most_age: timedelta


class OutboxFile:
    """Commands that wait, in order. Every method is one transaction, and blocks; safe for several threads.

    What a method has written is on the disk when it returns. All of them raise `OutboxFailed` where the
    file can't be read or written.

    Args:
        path: made, with its folder, when something is first done with it; readable by its owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._one_at_a_time = threading.Lock()

    def exists(self) -> bool:
        """Whether there is a file; asking does not make one."""
        return self.path.exists()

    def open(self) -> None:
        """Sees that the file is there, and can be written."""
        self._do(lambda db: db.execute("INSERT INTO totals VALUES ('', '', 0, 0) ON CONFLICT DO NOTHING"))

    def close(self) -> None:
        """Closes the file; it is opened again when it is needed."""
        with self._one_at_a_time:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def append(
        self, target: str, groups: Sequence[Sequence[bytes]], bounds: Bounds
    ) -> list[OutboxFull | None]:
        """Puts encoded commands at the end, in one transaction.

        Args:
            target: for whom they are.
            groups: of each all commands or none.
            bounds: how much may wait.

        Returns:
            For each group, why it was not taken.
        """
        instant = now()

        def work(db: sqlite3.Connection) -> list[OutboxFull | None]:
            late = self._too_old(db, target, instant, bounds)
            if late is not None:
                return [late] * len(groups)
            (held,) = db.execute("SELECT coalesce(sum(bytes), 0) FROM totals").fetchone()
            told: list[OutboxFull | None] = []
            for group in groups:
                size = sum(map(len, group))
                if held + size > bounds.most_bytes:
                    told.append(self._too_much(held, size, bounds))
                    continue
                held += size
                _insert(db, target, group, instant)
                told.append(None)
            return told

        return self._do(work)

    def take(self, target: str, most: int, most_bytes: int) -> list[Row]:
        """The first commands that wait, which stay there: at most so many, and at least one."""

        def work(db: sqlite3.Connection) -> list[Row]:
            rows: list[Row] = []
            for row in db.execute(
                "SELECT id, command FROM entries WHERE target = ? AND state = 'waiting' ORDER BY id LIMIT ?",
                (target, most),
            ):
                most_left = most_bytes - sum(len(one.command) + 1 for one in rows)
                if rows and len(row[1]) > most_left:
                    break
                rows.append(Row(*row))
            return rows

        return self._do(work)

    def remove(self, rows: Sequence[Row]) -> None:
        """Forgets commands that the broker has."""
        self._do(lambda db: db.executemany("DELETE FROM entries WHERE id = ?", [(row.id,) for row in rows]))

    def set_aside(self, rows: Sequence[Row], error: str) -> None:
        """Keeps commands that the broker refuses out of the way, with the reason."""
        values = [(error, row.id) for row in rows]
        self._do(
            lambda db: db.executemany("UPDATE entries SET state = 'aside', error = ? WHERE id = ?", values)
        )

    def take_back(self, target: str | None) -> int:
        """Has what is aside (for all targets, with None) sent again; says how much that is."""
        where, values = _where(target, "state = 'aside'")
        change = f"UPDATE entries SET state = 'waiting', error = '' WHERE {where}"  # noqa: S608  # constants
        return self._do(lambda db: db.execute(change, values).rowcount)

    def drop(self, target: str | None, *, version: str | None = None, aside: bool = False) -> int:
        """Forgets commands unsent: one version, those aside, or all; says how many."""
        conditions = ["state = 'aside'"] if aside else []
        where, values = _where(target, *conditions, *(["version = ?"] if version else []))
        change = f"DELETE FROM entries WHERE {where}"  # noqa: S608  # put together from constants
        values += [version] if version else []
        return self._do(lambda db: db.execute(change, values).rowcount)

    def status(self, target: str) -> OutboxStatus:
        """What waits for a target."""

        def work(db: sqlite3.Connection) -> OutboxStatus:
            found = {
                state: (entries, size)
                for state, entries, size in db.execute(
                    "SELECT state, entries, bytes FROM totals WHERE target = ?", (target,)
                )
            }
            waiting, size = found.get("waiting", (0, 0))
            aside, _size = found.get("aside", (0, 0))
            return OutboxStatus(waiting=waiting, bytes=size, oldest=_oldest(db, target), aside=aside)

        return self._do(work)

    def last_id(self, target: str) -> int:
        """Of the newest command that waits; 0 where none does."""
        query = "SELECT coalesce(max(id), 0) FROM entries WHERE target = ? AND state = 'waiting'"
        return int(self._do(lambda db: db.execute(query, (target,)).fetchone())[0])

    def waits(self, target: str, up_to: int) -> bool:
        """Whether a command with that id or one before it still waits."""
        query = "SELECT 1 FROM entries WHERE target = ? AND state = 'waiting' AND id <= ? LIMIT 1"
        return self._do(lambda db: db.execute(query, (target, up_to)).fetchone()) is not None

    def targets(self) -> list[str]:
        """For whom something waits or is aside."""
        query = "SELECT DISTINCT target FROM totals WHERE entries > 0 ORDER BY target"
        return [target for (target,) in self._do(lambda db: db.execute(query).fetchall())]

    def entries(self, target: str | None, most: int) -> list[OutboxEntry]:
        """The oldest commands, waiting and aside; for all targets, with None."""
        where, values = _where(target)
        query = (
            "SELECT target, version, command, queued_at, state, error FROM entries"  # noqa: S608  # constants
            f" WHERE {where} ORDER BY id LIMIT ?"
        )
        found = self._do(lambda db: db.execute(query, [*values, most]).fetchall())
        return [
            OutboxEntry(
                target=row[0],
                version=row[1],
                command=row[2],
                queued_at=_instant(row[3]),
                state=row[4],
                error=row[5],
            )
            for row in found
        ]

    def shrink(self) -> None:
        """Gives the room of what was removed back to the disk."""
        with self._opened() as db:
            db.execute("PRAGMA incremental_vacuum").fetchall()
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _do(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        with self._opened() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                result = work(db)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            return result

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with self._one_at_a_time:
                if self._connection is None:
                    self._connection = _open(self.path)
                yield self._connection
        except (sqlite3.Error, OSError) as error:
            raise OutboxFailed(
                f"can't write the outbox {self.path}: {error}",
                hint="see to the disk and the folder's rights, or set MEMLANE_STATE_DIR",
            ) from error

    def _too_old(
        self, db: sqlite3.Connection, target: str, instant: datetime, bounds: Bounds
    ) -> OutboxFull | None:
        oldest = _oldest(db, target)
        if oldest is None or instant - oldest <= bounds.most_age:
            return None
        return OutboxFull(
            f"the outbox {self.path} takes no more: its oldest command has waited since"
            f" {oldest:%Y-%m-%d %H:%M}Z, longer than {bounds.most_age}",
            hint="see why the broker does not take it (memlane outbox list), or set MEMLANE_OUTBOX_AGE",
        )

    def _too_much(self, held: int, size: int, bounds: Bounds) -> OutboxFull:
        return OutboxFull(
            f"the outbox {self.path} is full: {held:,} of {bounds.most_bytes:,} bytes are taken, and"
            f" {size:,} more do not fit",
            hint="see why the broker does not take it (memlane outbox list), or set MEMLANE_OUTBOX_BYTES",
        )


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    # What is remembered is nobody else's business.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL").fetchall()
        db.execute("PRAGMA synchronous = FULL")
        (found,) = db.execute("PRAGMA user_version").fetchone()
        if found > USER_VERSION:
            raise OutboxFailed(
                f"the outbox {path} is of a newer memlane (layout {found})",
                hint="use that one to send it (memlane outbox flush), or set MEMLANE_STATE_DIR",
            )
        if found < USER_VERSION:
            db.executescript(f"BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {USER_VERSION}; COMMIT;")
    except (sqlite3.Error, OutboxError):
        db.close()
        raise
    return db


def _insert(db: sqlite3.Connection, target: str, group: Sequence[bytes], instant: datetime) -> None:
    queued_at = (instant - _EPOCH) // _MICROSECOND
    db.executemany(
        "INSERT INTO entries (target, version, command, queued_at) VALUES (?, ?, ?, ?)",
        [(target, version_of(command), command, queued_at) for command in group],
    )


def _oldest(db: sqlite3.Connection, target: str) -> datetime | None:
    query = "SELECT queued_at FROM entries WHERE target = ? AND state = 'waiting' ORDER BY id LIMIT 1"
    found = db.execute(query, (target,)).fetchone()
    return None if found is None else _instant(found[0])


def _instant(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND


def _where(target: str | None, *conditions: str) -> tuple[str, list[str | int]]:
    parts = ([] if target is None else ["target = ?"]) + list(conditions)
    return " AND ".join(parts) or "1", [] if target is None else [target]
