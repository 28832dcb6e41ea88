"""Reading the properties that other producers wrote, whatever is in them.

RabbitMQ hands on what it got: a short string may hold any bytes, a timestamp any number. The driver's
decoder raises for those, which closes the connection; the message is delivered again, and again. Here
such a property reads as something harmless instead: the message is then judged like any other.
"""

import struct
from datetime import UTC, datetime
from typing import Final

from pamqp import decode
from pamqp.common import FieldTable

_TABLE_HEAD_BYTES: Final = 4
_TIMESTAMP_BYTES: Final = 8
_UNREADABLE: Final = (ValueError, ArithmeticError, OSError, RecursionError, IndexError, struct.error)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def tolerate_foreign_properties() -> None:
    """Makes the driver read on. Calling it again changes nothing."""
    decode.METHODS["shortstr"] = _short_string
    decode.METHODS["table"] = _table
    decode.METHODS["timestamp"] = _timestamp


def _short_string(value: bytes) -> tuple[int, str]:
    end = 1 + value[0]
    # What is left out can only make it shorter: a replacement would not fit when it is sent on.
    return end, value[1:end].decode("utf-8", "ignore")


def _table(value: bytes) -> tuple[int, FieldTable]:
    try:
        return decode.field_table(value)
    except _UNREADABLE:
        (length,) = struct.unpack_from(">I", value)
        end = _TABLE_HEAD_BYTES + length
        return end, _readable_part(value[_TABLE_HEAD_BYTES:end])


def _readable_part(entries: bytes) -> FieldTable:
    """A table up to the first value that can't be read; names lose what is no text."""
    found: FieldTable = {}
    at = 0
    while at < len(entries):
        try:
            size, name = _short_string(entries[at:])
            at += size
            if at >= len(entries):
                break
            size, found[name] = decode.embedded_value(entries[at:])
            at += size
        except _UNREADABLE:
            break
    return found


def _timestamp(value: bytes) -> tuple[int, datetime]:
    try:
        return decode.timestamp(value)
    except (ValueError, ArithmeticError, OSError):
        return _TIMESTAMP_BYTES, _EPOCH
