"""Commands and questions from what a caller passed, with errors that name the argument."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter

from memlane.contracts.errors import InvalidInput
from memlane.contracts.fields import WireModel
from memlane.contracts.instants import now
from memlane.contracts.limits import MAX_DEADLINE_MS
from memlane.contracts.validation import validate

Model = TypeVar("Model", bound=WireModel)


# Any: the arguments come from callers; the model is what checks them.
def build(model: type[Model], **arguments: Any) -> Model:
    """A model of the arguments.

    Raises:
        InvalidInput: names the argument, its limit, and what to do.
    """
    tags = arguments.get("tags")
    if tags is not None and not isinstance(tags, list | tuple):
        arguments["tags"] = _as_list(tags)
    adapter: TypeAdapter[Model] = _adapter(model)
    return validate(adapter, arguments)


def expiry(ttl: timedelta | None, expires_at: datetime | None) -> datetime | None:
    """The instant of expiry.

    Raises:
        InvalidInput: both were given, or the time to live is not positive.
    """
    if ttl is None:
        return expires_at
    if expires_at is not None:
        raise InvalidInput("ttl", "given together with expires_at", hint="give one of them")
    if ttl <= timedelta(0):
        raise InvalidInput("ttl", f"{ttl} is not positive", hint="to remove an entry, delete it")
    try:
        return now() + ttl
    except OverflowError:
        raise InvalidInput("ttl", "ends after the year 9999", hint="leave it out") from None


def checked_deadline(deadline: timedelta) -> timedelta:
    """The same, if a question may take so long.

    Raises:
        InvalidInput: it is not positive, or over a minute.
    """
    most = timedelta(milliseconds=MAX_DEADLINE_MS)
    if not timedelta(0) < deadline <= most:
        raise InvalidInput("deadline", f"{deadline} is not between 0 and {most}", hint="pass 2 s, say")
    return deadline


def _as_list(tags: object) -> object:
    # A string is iterable, but is one tag that somebody forgot to put into a list.
    return tags if isinstance(tags, str) or not isinstance(tags, Iterable) else list(tags)


@cache
def _adapter(model: type[WireModel]) -> TypeAdapter[Any]:
    return TypeAdapter(model)
