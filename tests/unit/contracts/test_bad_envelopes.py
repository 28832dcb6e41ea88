"""Bad envelopes: the message is parked whole, with the field and the limit."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.codec import decode_message
from memlane.contracts.errors import MalformedMessage


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        (b"", "body", "not JSON"),
        (b"{", "body", "not JSON"),
        (b"\xff{}", "body", "not UTF-8 at byte 0"),
        ("{}".encode("utf-16"), "body", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "body", "not JSON"),
        (b"\x00", "body", "not JSON"),
        (b"[]", "body", "must be a JSON object"),
        (b"null", "body", "must be"),
        (b'"x"', "body", "must be"),
        (b"NaN", "body", "must be|NaN"),
        (b'{"schema":1,"schema":1,"commands":[1]}', "body", "'schema' stands twice"),
        (b"[" * 100_000, "body", "deeper than 64"),
        (b'{"schema":1,"commands":[1]} x', "body", "not JSON"),
        (b'{"commands":[1]}', "schema", "unknown schema 'None'"),
        (b'{"schema":2,"commands":[1]}', "schema", "'2'"),
        (b'{"schema":"1","commands":[1]}', "schema", "unknown"),
        (b'{"schema":1.0,"commands":[1]}', "schema", "'1.0'"),
        (b'{"schema":true,"commands":[1]}', "schema", "'True'"),
        (b'{"schema":NaN,"commands":[1]}', "schema", "NaN"),
        (b'{"schema":' + b"[" * 900 + b"]" * 900 + b',"commands":[1]}', "schema", "unknown"),
        (b'{"schema":' + b"9" * 5000 + b',"commands":[1]}', "schema", "5000 digits"),
        (b'{"schema":1}', "commands", "must be a list"),
        (b'{"schema":1,"commands":{}}', "commands", "must be a list"),
        (b'{"schema":1,"commands":[]}', "commands", "0 of them, 1 to 500"),
        (b'{"schema":1,"commands":[' + b"1," * 500 + b"1]}", "commands", "501 of them, 1 to 500"),
        (b'{"schema":1,"commands":[1],"x":1}', "x", "unknown field"),
        (b" " * (1 << 20) + b" ", "body", "1,048,577 bytes, at most 1,048,576"),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_an_envelope_that_cannot_be_read(body: bytes, field: str, problem: str) -> None:
    """The message is parked whole, and says why."""
    with pytest.raises(MalformedMessage, match=problem) as caught:
        decode_message(body)
    assert caught.value.field == field


@given(body=st.binary(max_size=100))
def test_any_bytes_are_read_or_malformed(body: bytes) -> None:
    """Nothing else is ever raised."""
    with contextlib.suppress(MalformedMessage):
        decode_message(body)
