"""What a sink holds, as lines of JSON that `memlane import jsonl` takes back."""

from collections.abc import AsyncIterator
from datetime import datetime

from memlane.contracts.codec import encode_command
from memlane.contracts.command import AnyCommand, ExpiredStore, StoreCommand
from memlane.contracts.entry import Entry, encode_entry
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import from_microseconds
from memlane.storage.rows import Kind, Trace
from memlane.workers.backup.format import Unread
from memlane.workers.backup.selection import Selection
from memlane.workers.backup.source import Source
from memlane.workers.backup.whole_rows import OnProgress, WholeRows


class Export:
    """Reads entries, and writes a line of each.

    Args:
        source: the sink that is read.
        selection: which part of it.
        as_of: what has expired by then is no entry.
        with_deleted: whether tombstones, marks and what is left of expired entries are lines, too.

    Attributes:
        entries: how many there were so far.
        others: lines of the other kinds.
        unread: rows whose content no sink could give.
    """

    def __init__(
        self, source: Source, selection: Selection, as_of: datetime, *, with_deleted: bool = False
    ) -> None:
        self.entries = 0
        self.others = 0
        self.unread = 0
        self._source = source
        self._selection = selection
        self._as_of = as_of
        self._with_deleted = with_deleted

    async def lines(self, on_progress: OnProgress = lambda _done, _all: None) -> AsyncIterator[list[str]]:
        """The lines, some hundred at a time.

        Raises:
            SinkUnavailable: the sink does not answer.
        """
        source = self._source
        rows = WholeRows(source.reader, source.sink, source.others, self._is_wanted)
        async for records in rows.read(on_progress):
            found = [line for record in records if (line := self._line(record)) is not None]
            if found:
                yield found

    def _is_wanted(self, trace: Trace) -> bool:
        if not self._with_deleted and trace.kind not in {Kind.LIVE, Kind.REFUSED}:
            return False
        return self._selection.takes(trace.place.user_id, trace.place.namespace)

    def _line(self, record: AnyCommand | Unread) -> str | None:
        if isinstance(record, Unread):
            self.unread += 1
            return None
        if isinstance(record, StoreCommand):
            if record.expires_at is None or record.expires_at > self._as_of:
                self.entries += 1
                return encode_entry(entry_of(record))
            record = _expired(record)
        if not self._with_deleted:
            return None
        self.others += 1
        return encode_command(record).decode()


def entry_of(command: StoreCommand) -> Entry:
    """The entry that a store makes."""
    return Entry.model_construct(
        user_id=command.user_id,
        namespace=command.namespace,
        key=command.key,
        version=command.id,
        value_json=command.value_json,
        tags=command.tags,
        importance=command.importance,
        session_id=command.session_id,
        project_id=command.project_id,
        metadata_json=command.metadata_json,
        created_at=from_microseconds(command.created_us),
        expires_at=command.expires_at,
    )


def _expired(command: StoreCommand) -> ExpiredStore:
    user_id, namespace, key = command.address
    return ExpiredStore(
        id=command.id, user_id=user_id, namespace=namespace, key=key, hash=command_hash(command)
    )
