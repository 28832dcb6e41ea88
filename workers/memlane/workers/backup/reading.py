"""Reading a backup, and finding out whether it is what was written."""

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedIOBase
from pathlib import Path
from typing import Final

from memlane.contracts.errors import InvalidInput
from memlane.producers.importers.lines import MAX_LINE_BYTES
from memlane.workers.backup.errors import BackupDamaged, BackupFormatUnknown, BackupNotFound
from memlane.workers.backup.format import (
    FORMAT,
    TRAILER_START,
    Header,
    Kind,
    Record,
    Trailer,
    bucket_of_record,
    counts_of,
    decode_header,
    decode_record,
    decode_trailer,
    kind_of,
)

SUFFIX: Final = ".jsonl.gz"

_END_BYTES: Final = 1024
"""More than a trailer takes, compressed."""

_MEMBER: Final = b"\x1f\x8b\x08"
_WITH_GZIP_HEAD: Final = 31


class BackupFile:
    """One backup on the disk. Every method opens it anew.

    Args:
        path: of the file.
        name: what it is called in errors; by default what the file is called.
    """

    def __init__(self, path: Path, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.name.removesuffix(SUFFIX)

    def header(self) -> Header:
        """The first line.

        Raises:
            BackupNotFound: there is no such file.
            BackupDamaged: it can't be read.
            BackupFormatUnknown: it is of another format.
        """
        with self._opened() as stream:
            return self._header(self._line(stream, 1))

    def trailer(self) -> Trailer:
        """The last line, found without reading the others. Raises as `header`."""
        with self._opened(compressed=True) as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - _END_BYTES))
            tail = file.read()
        try:
            return decode_trailer(_last_member(tail))
        except InvalidInput:
            raise BackupDamaged(self.name, "it has no last line: it was cut off") from None

    def records(self) -> Iterator[Record]:
        """What stands in it; the end comes only if all of it is what was written. Raises as `header`."""
        kinds: Counter[Kind] = Counter()
        bucket = 0
        body = self._body()
        for number, line in body:
            try:
                record = decode_record(line)
            except InvalidInput as error:
                raise BackupDamaged(self.name, f"line {number}: {error}") from None
            if (before := bucket) > (bucket := bucket_of_record(record)):
                raise BackupDamaged(self.name, f"line {number}: it belongs before bucket {before}")
            kinds[kind_of(record)] += 1
            yield record
        if counts_of(kinds) != self.trailer().counts:
            raise BackupDamaged(self.name, "its lines are not those that its last line counts")

    def check(self) -> Trailer:
        """Compares every byte with the checksum; what they say, `records` looks at. Raises as `header`."""
        for _ in self._body():
            pass
        return self.trailer()

    def _body(self) -> Iterator[tuple[int, bytes]]:
        """The lines between first and last, with their numbers; checked against the last one."""
        digest = hashlib.sha256()
        number = 1
        with self._opened() as stream:
            line = self._line(stream, number)
            self._header(line)
            while True:
                digest.update(line)
                number += 1
                line = self._line(stream, number)
                if line.startswith(TRAILER_START):
                    break
                yield number, line
            self._end(line, number, digest.hexdigest())
            if stream.read(1):
                raise BackupDamaged(self.name, "something stands behind its last line")

    def _end(self, line: bytes, number: int, sha256: str) -> None:
        try:
            trailer = decode_trailer(line)
        except InvalidInput as error:
            raise BackupDamaged(self.name, f"line {number}: {error}") from None
        if trailer.sha256 != sha256:
            raise BackupDamaged(self.name, "its checksum is another one")
        if trailer.counts.total != number - 2:
            raise BackupDamaged(self.name, f"it has {number - 2} lines, and says {trailer.counts.total}")

    def _header(self, line: bytes) -> Header:
        try:
            header = decode_header(line)
        except InvalidInput as error:
            raise BackupDamaged(self.name, f"line 1: {error}") from None
        if isinstance(header, str):
            raise BackupFormatUnknown(self.name, header, FORMAT)
        return header

    def _line(self, stream: BufferedIOBase, number: int) -> bytes:
        line = stream.readline(MAX_LINE_BYTES + 1)
        if not line:
            raise BackupDamaged(self.name, "it has no last line: it was cut off")
        if not line.endswith(b"\n"):
            problem = "too long" if len(line) > MAX_LINE_BYTES else "cut off"
            raise BackupDamaged(self.name, f"line {number} is {problem}")
        return line

    @contextmanager
    def _opened(self, *, compressed: bool = False) -> Iterator[BufferedIOBase]:
        try:
            with self.path.open("rb") if compressed else gzip.open(self.path, "rb") as stream:
                yield stream
        except FileNotFoundError:
            raise BackupNotFound(
                f"there is no backup {self.name} in {self.path.parent}", hint="see `memlane backup list`"
            ) from None
        except (OSError, EOFError, zlib.error) as error:
            raise BackupDamaged(self.name, str(error)) from error


def _last_member(tail: bytes) -> bytes:
    """What the last gzip member of some bytes holds.

    Raises:
        InvalidInput: there is none.
    """
    at = len(tail)
    while (at := tail.rfind(_MEMBER, 0, at)) >= 0:
        member = zlib.decompressobj(_WITH_GZIP_HEAD)
        try:
            text = member.decompress(tail[at:])
        except zlib.error:
            continue
        if member.eof and not member.unused_data and text.startswith(TRAILER_START):
            return text
    raise InvalidInput("type", "there is none")
