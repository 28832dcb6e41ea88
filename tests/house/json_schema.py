"""A validator for as much of JSON Schema as the published schemas use.

A keyword that it does not know is an error, so that nothing passes because it was not looked at.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

# Any, everywhere in this file: JSON trees.
Schema = Mapping[str, Any]

_SAYS_NOTHING: Final = {"$schema", "$defs", "title", "description", "default", "format"}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and value == int(value),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def is_valid(value: Any, schema: Schema) -> bool:
    """Whether a JSON tree is what the schema describes."""
    return not list(faults(value, schema, schema))


def faults(value: Any, schema: Schema, root: Schema) -> Iterator[str]:
    """What is wrong with a value, a line for each keyword that it breaks."""
    for keyword, expected in schema.items():
        if keyword in _SAYS_NOTHING or (keyword == "additionalProperties" and not isinstance(value, dict)):
            continue
        check = _CHECKS[keyword]
        if not check(value, expected, schema, root):
            yield f"{str(value)[:60]}: {keyword} {str(expected)[:60]}"


def _same(left: Any, right: Any) -> bool:
    return left == right and isinstance(left, bool) == isinstance(right, bool)


def _matches(pattern: str, text: str) -> bool:
    # JSON Schema's patterns are ECMAScript's, where `$` is the very end and `\d` is 0 to 9.
    exact = pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern
    return re.search(exact, text, re.ASCII) is not None


def _all_valid(values: Any, schema: Schema, root: Schema) -> bool:
    return all(not list(faults(value, schema, root)) for value in values)


def _count_valid(value: Any, schemas: list[Schema], root: Schema) -> int:
    return sum(not list(faults(value, schema, root)) for schema in schemas)


def _reference(value: Any, path: str, _schema: Schema, root: Schema) -> bool:
    return _all_valid([value], root["$defs"][path.removeprefix("#/$defs/")], root)


def _properties(value: Any, expected: Mapping[str, Schema], _schema: Schema, root: Schema) -> bool:
    if not isinstance(value, dict):
        return True
    return all(_all_valid([value[name]], schema, root) for name, schema in expected.items() if name in value)


def _additional(value: Any, expected: Any, schema: Schema, root: Schema) -> bool:
    others = [item for name, item in value.items() if name not in schema.get("properties", {})]
    if isinstance(expected, bool):
        return expected or not others
    return _all_valid(others, expected, root)


Check = Callable[[Any, Any, Schema, Schema], bool]
_CHECKS: Final[Mapping[str, Check]] = {
    "$ref": _reference,
    "type": lambda value, expected, _s, _r: _TYPES[expected](value),
    "const": lambda value, expected, _s, _r: _same(value, expected),
    "enum": lambda value, expected, _s, _r: any(_same(value, one) for one in expected),
    "anyOf": lambda value, expected, _s, root: _count_valid(value, expected, root) > 0,
    "oneOf": lambda value, expected, _s, root: _count_valid(value, expected, root) == 1,
    "pattern": lambda value, expected, _s, _r: not isinstance(value, str) or _matches(expected, value),
    "minLength": lambda value, expected, _s, _r: not isinstance(value, str) or len(value) >= expected,
    "maxLength": lambda value, expected, _s, _r: not isinstance(value, str) or len(value) <= expected,
    "minimum": lambda value, expected, _s, _r: not _is_number(value) or value >= expected,
    "maximum": lambda value, expected, _s, _r: not _is_number(value) or value <= expected,
    "minItems": lambda value, expected, _s, _r: not isinstance(value, list) or len(value) >= expected,
    "maxItems": lambda value, expected, _s, _r: not isinstance(value, list) or len(value) <= expected,
    "items": lambda value, expected, _s, root: (
        not isinstance(value, list) or _all_valid(value, expected, root)
    ),
    "required": lambda value, expected, _s, _r: not isinstance(value, dict) or set(expected) <= set(value),
    "properties": _properties,
    "additionalProperties": _additional,
}
