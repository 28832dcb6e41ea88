"""The value to store: from an argument, or from stdin."""

import sys

import click

from memlane.contracts.canonical import Flaw, Json, parse
from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.limits import MAX_MESSAGE_BYTES

STDIN = "-"


def read_value(argument: str | None, *, as_json: bool) -> Json:
    """The value that was given.

    Args:
        argument: `-`, or None where something is piped in, reads stdin; one line end behind it is dropped.
        as_json: whether it is JSON; otherwise it is taken as text, whatever it looks like.

    Raises:
        click.UsageError: nothing was given.
        InvalidInput: not UTF-8, not JSON, or larger than a message may be.
    """
    text = _from_stdin() if argument is None or argument == STDIN else argument
    if not as_json:
        return text
    try:
        value = parse(text)
    except MalformedMessage as error:
        raise InvalidInput(
            "value", error.problem, hint="leave --json-value out to store it as text"
        ) from None
    if isinstance(value, Flaw):
        raise InvalidInput("value", value.problem)
    return value


def _from_stdin() -> str:
    if sys.stdin is None or sys.stdin.isatty():
        raise click.UsageError("No value: give one as an argument, or pipe it in.")
    data = sys.stdin.buffer.read(MAX_MESSAGE_BYTES + 1)
    if len(data) > MAX_MESSAGE_BYTES:
        raise InvalidInput(
            "value", f"more than {MAX_MESSAGE_BYTES:,} bytes", hint="store several, under keys of their own"
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("value", f"not UTF-8 at byte {error.start}", hint="send UTF-8 text") from None
    return text.removesuffix("\n").removesuffix("\r")
