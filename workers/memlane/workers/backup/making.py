"""Making one backup."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from memlane.contracts.instants import now
from memlane.workers.backup.errors import BackupDamaged, BackupFailed, BackupFormatUnknown
from memlane.workers.backup.folder import BackupFolder
from memlane.workers.backup.format import Header, Trailer
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.source import Source
from memlane.workers.backup.whole_rows import OnProgress, WholeRows
from memlane.workers.backup.writing import BackupWriter, exists


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A backup that was made.

    Attributes:
        header: its first line.
        trailer: its last line.
        path: of its file.
        bytes: how large that is.
    """

    header: Header
    trailer: Trailer
    path: Path
    bytes: int


async def make_backup(
    folder: BackupFolder,
    source: Source,
    name: str,
    *,
    due: datetime | None = None,
    on_progress: OnProgress = lambda _done, _all: None,
) -> Made:
    """Makes a backup, reads it back, and gives it its name. Nothing is left where that fails.

    Args:
        folder: where to.
        source: what of.
        name: what it is called.
        due: of a scheduled one: the time that it was due.
        on_progress: told how many buckets are read, of how many.

    Raises:
        InvalidInput: no backup can be called that.
        BackupExists: one is.
        BackupFailed: it can't be written.
        SinkUnavailable: the sink does not answer.
    """
    path = folder.path_of(name)
    if path.exists():
        raise exists(path)
    header = Header(name=name, created_at=now(), sink=source.sink, incarnation=source.incarnation, due=due)
    with BackupWriter(path, header) as writer:
        rows = WholeRows(source.reader, source.sink, source.others)
        async for records in rows.read(on_progress):
            # In a thread: lanes may share this process, and are not to wait for the disk.
            await asyncio.to_thread(writer.write, records)
        trailer = await asyncio.to_thread(_settle, writer)
    return Made(header=header, trailer=trailer, path=path, bytes=path.stat().st_size)


def _settle(writer: BackupWriter) -> Trailer:
    """Completes the file, reads it back, and gives it its name."""
    trailer = writer.finish()
    try:
        BackupFile(writer.partial, writer.path.name).check()
    except (BackupDamaged, BackupFormatUnknown) as error:
        raise BackupFailed(
            f"the backup {writer.path} was not kept: it can't be read back as written ({error.problem})",
            hint="see to the disk",
        ) from error
    writer.keep()
    return trailer
