"""Backups on the disk, made without any sink."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from memlane.contracts.command import AnyCommand, ExpiredStore
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.instants import now
from memlane.workers.backup.folder import BackupFolder, scheduled_name
from memlane.workers.backup.format import Header, Record, Unread, bucket_of_record
from memlane.workers.backup.reading import BackupFile
from memlane.workers.backup.writing import BackupWriter
from tests.support.commands import delete, delete_namespace, forget, store, version

NAME: Final = "before-migration"


def some_records(entries: int = 20) -> list[Record]:
    """Stores and one of each other kind, as a backup has them."""
    stores: list[AnyCommand] = [store(f"k{number}", {"n": number}) for number in range(entries)]
    old = store("old")
    expired = ExpiredStore(id=old.id, user_id="u", key="old", hash=command_hash(old))
    unread = Unread(
        id=version(), user_id="u", namespace="default", key="lost", hash=command_hash(store("lost"))
    )
    return in_order([*stores, delete("gone"), delete_namespace("a/b"), forget("other"), expired, unread])


def in_order(records: Iterable[Record]) -> list[Record]:
    """By their buckets."""
    return sorted(records, key=bucket_of_record)


def written(
    folder: Path, records: Iterable[Record], name: str = NAME, *, due: datetime | None = None
) -> BackupFile:
    """A backup with these records."""
    path = BackupFolder(folder).path_of(name)
    header = Header(name=name, created_at=due or now(), sink="sqlite", incarnation="1", due=due)
    with BackupWriter(path, header) as writer:
        writer.write(records)
        writer.finish()
        writer.keep()
    return BackupFile(path, name)


def scheduled(folder: Path, due: datetime) -> str:
    """A scheduled backup of that time; returns its name."""
    name = scheduled_name(due)
    written(folder, [], name, due=due)
    return name
