"""The field types that commands, entries and questions share."""

import json
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from memlane.contracts.canonical import Flaw, Json, canonical
from memlane.contracts.errors import InvalidInput
from memlane.contracts.identifiers import Identifier
from memlane.contracts.limits import (
    DEFAULT_IMPORTANCE,
    DEFAULT_NAMESPACE,
    MAX_IMPORTANCE,
    MAX_TAGS,
    MIN_IMPORTANCE,
)

EMPTY_OBJECT: Final = "{}"


class WireModel(BaseModel):
    """A frozen model of something on the wire: no unknown field, no silent conversion of types."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", populate_by_name=True)


def _canonical_value(value: Json) -> str:
    return canonical(value, "")


def _canonical_object(value: Json) -> str:
    if isinstance(value, Flaw):
        raise InvalidInput("", value.problem)
    if not isinstance(value, dict):
        raise InvalidInput("", "must be an object", hint="send {} where there is nothing to say")
    return canonical(value, "") if value else EMPTY_OBJECT


def _sorted_set(tags: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(tags))) if len(tags) > 1 else tags


def _list_to_tuple(tags: object) -> object:
    return tuple(tags) if isinstance(tags, list) else tags


# Any: the schema of "any JSON" is the empty schema.
_ANY_JSON: Final[dict[str, Any]] = {"description": "Any JSON value."}

CanonicalValue = Annotated[
    str,
    BeforeValidator(_canonical_value),
    PlainSerializer(json.loads, when_used="json"),
    WithJsonSchema(_ANY_JSON),
]
"""Takes any JSON value, keeps its canonical text."""

CanonicalObject = Annotated[
    str,
    BeforeValidator(_canonical_object),
    PlainSerializer(json.loads, when_used="json"),
    WithJsonSchema({"type": "object"}),
]
"""Takes a JSON object, keeps its canonical text."""

Tags = Annotated[
    tuple[Identifier, ...],
    BeforeValidator(_list_to_tuple),
    AfterValidator(_sorted_set),
    Field(max_length=MAX_TAGS),
]
"""A set of identifiers, kept sorted."""

Importance = Annotated[int, Field(ge=MIN_IMPORTANCE, le=MAX_IMPORTANCE)]
"""1 (may be forgotten first) to 10."""


def parse_text(text: str) -> Json:
    """The value of a canonical text."""
    return json.loads(text)


__all__ = [
    "DEFAULT_IMPORTANCE",
    "DEFAULT_NAMESPACE",
    "EMPTY_OBJECT",
    "CanonicalObject",
    "CanonicalValue",
    "Importance",
    "Tags",
    "WireModel",
    "parse_text",
]
