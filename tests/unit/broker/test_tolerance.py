"""Of headers that are no text everything is read that can be read."""

import struct

from pamqp import decode, encode

from memlane.producers.broker.driver.tolerance import tolerate_foreign_properties


def table(entries: bytes) -> bytes:
    """A table with these entries, as it stands in a frame."""
    return struct.pack(">I", len(entries)) + entries


def entry(name: bytes, value: bytes) -> bytes:
    """A name and its value."""
    return bytes([len(name)]) + name + value


GOOD = entry(b"x-death", b"S" + encode.long_string("said by the broker"))


def test_a_name_that_is_no_text_does_not_hide_the_others() -> None:
    """RabbitMQ adds its own headers to those of whoever published: they say why a message was parked."""
    tolerate_foreign_properties()
    read = table(entry(b"\xe9", b"t\x01") + GOOD)
    assert decode.METHODS["table"](read) == (len(read), {"": True, "x-death": "said by the broker"})


def test_what_stands_behind_a_value_of_an_unknown_kind_is_left_out() -> None:
    """Nobody knows where it ends; the next property begins where it should."""
    tolerate_foreign_properties()
    read = table(GOOD + entry(b"odd", b"?\x01\x02") + GOOD)
    assert decode.METHODS["table"](read + b"next") == (len(read), {"x-death": "said by the broker"})
    assert decode.METHODS["table"](table(b"\xff")) == (5, {})
