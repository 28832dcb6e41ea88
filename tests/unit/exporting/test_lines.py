"""An exported line is read back as the very command that it came from."""

import io
from datetime import datetime, timedelta

from hypothesis import given

from memlane.contracts.command import AnyCommand, StoreCommand
from memlane.contracts.entry import encode_entry
from memlane.contracts.fingerprint import command_hash
from memlane.contracts.version import version_instant
from memlane.producers.importers import read_jsonl
from memlane.producers.importers.jsonl import GoodLine, Reading
from memlane.storage.conformance.strategies import any_command
from memlane.workers.backup.format import decode_record, encode_record
from memlane.workers.exporting import entry_of


def read(line: bytes, now: datetime) -> AnyCommand:
    """What an import makes of a line."""
    (found,) = read_jsonl(io.BytesIO(line), Reading(now=lambda: now))
    assert isinstance(found, GoodLine), found
    return found.command


@given(command=any_command())
def test_a_line_gives_the_same_command_again(command: AnyCommand) -> None:
    """The same hash, and so the same digests: an entry as in a list, the rest as on the wire."""
    if isinstance(command, StoreCommand):
        line = encode_entry(entry_of(command)).encode()
    else:
        line = encode_record(command)
    found = read(line, version_instant(command.id) + timedelta(days=1))
    assert command_hash(found) == command_hash(command)


@given(command=any_command())
def test_a_backups_line_gives_the_same_command_again(command: AnyCommand) -> None:
    """Likewise."""
    assert decode_record(encode_record(command)) == command
