"""JSON Schemas of the wire, from the pydantic models that read it.

pydantic's own output is made to say just what the codec does: a field that tells the kind (`type`, `scope`)
is required, a list's bound is `maxItems`, an instant has a pattern. What a schema can't say is in
`docs/wire-format.md`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import BaseModel

from memlane.contracts.command import CommandEnvelope
from memlane.contracts.fingerprint import Digest
from memlane.contracts.query import QueryEnvelope, SinkQueryEnvelope
from memlane.contracts.receipt import ReceiptEnvelope
from memlane.contracts.reply import Reply, SinkReply

# Any: a JSON Schema is a JSON tree.
Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

SCHEMAS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType(
    {
        "command-envelope": CommandEnvelope,
        "query-envelope": QueryEnvelope,
        "reply": Reply,
        "receipt": ReceiptEnvelope,
        "sink-query": SinkQueryEnvelope,
        "sink-reply": SinkReply,
    }
)
"""By file name. The last two are spoken between memlane's own processes only."""

INSTANT: Final = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"
"""Narrower than `date-time`: the letters are upper case."""

SEARCH_TEXT: Final = r"^[^\u0000]*$"


def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of a wire model, as the wire has it."""
    raw = model.model_json_schema(by_alias=True)
    definitions: dict[str, Schema] = raw.pop("$defs", {})
    tidied = {name: _tidy(definition) for name, definition in sorted(definitions.items())}
    _require_tags([raw, *definitions.values()], tidied)
    if "DigestModel" in tidied:
        tidied["DigestModel"]["description"] = (Digest.__doc__ or "").split("\n")[0]
    if "SearchQuestion" in tidied:
        tidied["SearchQuestion"]["properties"]["text"]["pattern"] = SEARCH_TEXT
    return {"$schema": DIALECT, **_tidy(raw), **({"$defs": tidied} if tidied else {})}


def _tidy(schema: Schema, *, is_property: bool = False) -> Schema:
    """A copy without noise, of which a reader of JSON Schema understands every keyword."""
    found = {name: value for name, value in schema.items() if name != "discriminator"}
    if is_property:
        # "User Id" says no more than the property's name.
        found.pop("title", None)
    if "description" in found:
        found["description"] = " ".join(found["description"].split("\n\n")[0].split())
    if found.get("format") == "date-time":
        found["pattern"] = INSTANT
    if found.get("type") == "array":
        _bound_items(found)
    if "$ref" in found and isinstance(found.get("default"), dict):
        found["default"] = {}
    return {name: _tidy_below(name, value) for name, value in found.items()}


# Any: a keyword's value may be any JSON.
def _tidy_below(keyword: str, value: Any) -> Any:
    if keyword == "properties":
        return {name: _tidy(schema, is_property=True) for name, schema in value.items()}
    if keyword in {"anyOf", "oneOf"}:
        return [_tidy(schema) for schema in value]
    if keyword in {"items", "additionalProperties"} and isinstance(value, dict):
        return _tidy(value)
    return value


def _bound_items(schema: Schema) -> None:
    """pydantic bounds a list that it reads into a tuple as if it were a text."""
    for wrong, right in (("minLength", "minItems"), ("maxLength", "maxItems")):
        if wrong in schema:
            schema[right] = schema.pop(wrong)


def _require_tags(raw: list[Schema], tidied: dict[str, Schema]) -> None:
    """Makes the fields required that tell the kinds of a union apart; their defaults are for Python only."""
    for node in _nodes(raw):
        discriminator = node.get("discriminator") if isinstance(node, dict) else None
        if not isinstance(discriminator, dict):
            continue
        for name in _definitions_of(node):
            _require(tidied[name], discriminator["propertyName"])


def _require(schema: Schema, name: str) -> None:
    schema["properties"][name].pop("default", None)
    required = {name, *schema.get("required", [])}
    schema["required"] = [known for known in schema["properties"] if known in required]


def _definitions_of(node: Schema) -> list[str]:
    """The names of all models of a union, those of unions inside of it as well."""
    return [
        found["$ref"].removeprefix("#/$defs/")
        for found in _nodes(node["oneOf"])
        if isinstance(found, dict) and "$ref" in found
    ]


# Any: of a JSON tree.
def _nodes(tree: Any) -> list[Any]:
    below = list(tree.values()) if isinstance(tree, dict) else tree if isinstance(tree, list) else []
    return [tree, *(found for item in below for found in _nodes(item))]
