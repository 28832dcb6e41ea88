"""What options and arguments are made of: durations, instants, JSON objects, how far to wait."""

from datetime import datetime, timedelta
from typing import Any, Final

import click
from pydantic import TypeAdapter, ValidationError

from memlane.contracts.canonical import Flaw, Json, parse
from memlane.contracts.durations import parse_duration
from memlane.contracts.errors import InvalidInput
from memlane.contracts.instants import Instant
from memlane.producers.client.writing import Wait

_LEVELS: Final[dict[str, Wait]] = {"outbox": "outbox", "broker": "broker", "any": "any", "all": "all"}
_INSTANT: Final[TypeAdapter[datetime]] = TypeAdapter(Instant)


# Any, in the signatures below: click hands over a text, or a default that is converted already.
class Duration(click.ParamType[timedelta]):
    """A positive duration, such as `30s`.

    Args:
        most: the longest that is taken.
    """

    name = "duration"

    def __init__(self, most: timedelta | None = None) -> None:
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """See `click.ParamType`."""
        if isinstance(value, timedelta):
            return value
        try:
            found = parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if found <= timedelta(0):
            self.fail(f"{value!r} is not positive", param, ctx)
        if self._most is not None and found > self._most:
            self.fail(f"{value!r} is too long: at most {self._most.total_seconds():g}s", param, ctx)
        return found


class InstantParam(click.ParamType[datetime]):
    """RFC 3339 with an offset."""

    name = "instant"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """See `click.ParamType`."""
        try:
            return _INSTANT.validate_python(value)
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            self.fail(f"{value!r}: {reason}", param, ctx)


class JsonObject(click.ParamType[dict[str, Json]]):
    """A JSON object."""

    name = "json"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, Json]:
        """See `click.ParamType`."""
        try:
            tree = value if isinstance(value, dict) else parse(value)
        except InvalidInput as error:
            self.fail(error.problem, param, ctx)
        if isinstance(tree, Flaw):
            self.fail(tree.problem, param, ctx)
        if not isinstance(tree, dict):
            self.fail('must be a JSON object, such as {"source": "chat"}', param, ctx)
        return tree


class WaitParam(click.ParamType[Wait]):
    """`outbox`, `broker`, `any`, `all`, or the names of sinks, separated by commas."""

    name = "wait"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Wait:
        """See `click.ParamType`."""
        if not isinstance(value, str):
            return frozenset(value)
        if (level := _LEVELS.get(value)) is not None:
            return level
        names = frozenset(name.strip() for name in value.split(","))
        if not all(names):
            self.fail(f"{value!r} is not outbox, broker, any, all, or sinks such as sqlite,redis", param, ctx)
        return names


DURATION: Final = Duration()
INSTANT: Final = InstantParam()
JSON_OBJECT: Final = JsonObject()
WAIT: Final = WaitParam()
