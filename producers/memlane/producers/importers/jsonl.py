"""JSON Lines: one entry a line, as `memlane list --json` writes them, or much as people have them.

`user_id`, `key` and `value` must be there. `namespace`, `tags`, `importance`, `session_id`, `project_id`,
`metadata`, `created_at` and `expires_at` are the wire's. `version` is kept; `updated_at` (or else
`created_at`) is the time of an entry without one. Every other field goes into the metadata.

A line of the type `delete` or `expired` without a `value` is such a command as it stands on the wire, under
its own `id`: what `memlane export --with-deleted` writes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from memlane.contracts.canonical import Flaw, Json, parse
from memlane.contracts.clock import milliseconds_ahead
from memlane.contracts.codec import MAX_COMMAND_BYTES, encode_command
from memlane.contracts.command import COMMAND, AnyCommand, StoreCommand
from memlane.contracts.errors import InvalidInput, MalformedMessage, VersionFromFuture
from memlane.contracts.instants import Instant, to_microseconds
from memlane.contracts.instants import now as wall_clock
from memlane.contracts.validation import validate
from memlane.producers.importers.lines import MAX_LINE_BYTES, Line, read_lines
from memlane.producers.importers.versions import UNKNOWN_AGE, derived_version

WIRE_FIELDS: Final = frozenset(
    {
        "user_id", "namespace", "key", "value", "tags", "importance", "session_id", "project_id",
        "created_at", "expires_at",
    }
)  # fmt: skip
OWN_FIELDS: Final = frozenset({"metadata", "version", "updated_at"})

_WITHOUT_VALUE: Final = ("delete", "expired")
_STORE: Final[TypeAdapter[StoreCommand]] = TypeAdapter(StoreCommand)
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)
_GROWTH: Final = 8
"""How much longer a command may be than its line: `1e9` is written as `1000000000.0`."""


class BadLine(NamedTuple):
    """A line that can't be imported, and why."""

    number: int
    end: int
    error: InvalidInput


class GoodLine(NamedTuple):
    """A line, and the command that it comes to.

    Attributes:
        number: from 1.
        end: how many bytes of the source were read so far.
        command: what is to be sent.
        dated: whether the line itself says from when it is.
    """

    number: int
    end: int
    command: AnyCommand
    dated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How lines are read.

    Attributes:
        as_of: what lines are from that do not say it themselves; None: unknown, they are older than all else.
        now: what is more than five minutes later is from the future, and refused.
    """

    as_of: datetime | None = None
    now: Callable[[], datetime] = wall_clock


def read_jsonl(stream: BinaryIO, reading: Reading | None = None) -> Iterator[GoodLine | BadLine]:
    """The lines of a source, in order, each as a command or as what is wrong with it."""
    reading = reading or Reading()
    for line in read_lines(stream):
        try:
            yield _read(line, reading)
        except InvalidInput as error:
            yield BadLine(line.number, line.end, error)


def _read(line: Line, reading: Reading) -> GoodLine:
    if line.content is None:
        raise InvalidInput("line", f"longer than {MAX_LINE_BYTES:,} bytes", hint="store a smaller value")
    tree = _parse(line.content)
    if isinstance(tree, Flaw):
        raise InvalidInput("line", tree.problem)
    if not isinstance(tree, dict):
        raise InvalidInput(
            "line", "must be a JSON object", hint='such as {"user_id": …, "key": …, "value": …}'
        )
    if tree.get("type") in _WITHOUT_VALUE and "value" not in tree:
        command = validate(COMMAND, tree, by_name=False)
        dated = True
    else:
        command, dated = _entry(tree, line, reading)
    _check(command, len(line.content), reading.now())
    return GoodLine(line.number, line.end, command, dated)


def _entry(tree: dict[str, Json], line: Line, reading: Reading) -> tuple[StoreCommand, bool]:
    """The store that an entry comes to, and whether the line says from when it is."""
    version = tree.get("version")
    dated = version is not None
    if version is None:
        instant = _own_time(tree)
        dated = instant is not None
        age = instant or reading.as_of or UNKNOWN_AGE
        version = derived_version(age, line.number, line.content or b"")
    fields = {
        name: tree[name] for name in WIRE_FIELDS & tree.keys() if tree[name] is not None or name == "value"
    }
    try:
        command = validate(_STORE, {"id": version, **fields, "metadata": _metadata(tree)}, by_name=False)
    except InvalidInput as error:
        raise _as_in_line(error) from None
    return command, dated


def _parse(content: bytes) -> Json:
    try:
        return parse(content)
    except MalformedMessage as error:
        raise InvalidInput("line", error.problem) from None


def _as_in_line(error: InvalidInput) -> InvalidInput:
    """The error with the line's name of the field, not the wire's."""
    if error.field != "id":
        return error
    return type(error)("version", error.problem, hint=error.hint)


def _own_time(tree: dict[str, Json]) -> datetime | None:
    """From when the line says that it is: `updated_at`, or else `created_at`."""
    for name in ("updated_at", "created_at"):
        if tree.get(name) is None:
            continue
        try:
            instant = _INSTANT.validate_python(tree[name])
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise InvalidInput(name, reason[:1].lower() + reason[1:]) from None
        if instant < UNKNOWN_AGE:
            raise InvalidInput(
                name, "before 1970, where versions begin", hint="leave it out, or put it into metadata"
            )
        return instant
    return None


def _metadata(tree: dict[str, Json]) -> Json:
    """The line's metadata, and every field that means nothing else."""
    given = tree.get("metadata")
    others = {name: tree[name] for name in tree if name not in WIRE_FIELDS and name not in OWN_FIELDS}
    if given is None or not others:
        return others if given is None else given
    if not isinstance(given, dict):
        return given
    if both := sorted(others.keys() & given.keys()):
        raise InvalidInput(both[0][:60], "stands beside the metadata and in it", hint="remove one of the two")
    return {**others, **given}


def _check(command: AnyCommand, length: int, now: datetime) -> None:
    """Refuses what the broker or the lanes would: too large for a message, or from the future."""
    if length * _GROWTH > MAX_COMMAND_BYTES:
        encode_command(command)
    if milliseconds_ahead(command.id, to_microseconds(now) // 1000) > 0:
        raise VersionFromFuture(
            "version", "from the future: it would win for ever", hint="correct the line's time"
        )
