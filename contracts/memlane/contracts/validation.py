"""From pydantic's findings to one error that names the field, the limit and what to do."""

from typing import Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from memlane.contracts.errors import InvalidInput
from memlane.contracts.limits import MAX_IDENTIFIER, MAX_NAMESPACE_DEPTH

T = TypeVar("T")

_IDENTIFIER_RULE: Final = f"1 to {MAX_IDENTIFIER} characters, no control characters"
_PATTERN_RULES: Final = {
    "namespace": f"{_IDENTIFIER_RULE}; 1 to {MAX_NAMESPACE_DEPTH} parts between single slashes",
    "id": "a version is a UUIDv7 in lower case, such as 01890a5d-ac96-774b-bcce-b302099a8057",
}
_BRANCHES: Final = frozenset(
    {"store", "delete", "address", "namespace", "user", "get", "list", "search", "stats"}
)
_TAG_KINDS: Final = frozenset({"union_tag_invalid", "union_tag_not_found"})
_HINTS: Final = {
    "missing": "add the field",
    "extra_forbidden": "remove the field, or correct its name",
    "timezone_aware": "add an offset, such as Z or +02:00",
    "string_unicode": "pair or remove the lone surrogate",
    "string_too_long": "shorten it",
    "too_long": "send fewer, or in several",
    "union_tag_not_found": "add the field that says which kind it is",
}


def validate(adapter: TypeAdapter[T], value: object, field: str = "", *, by_name: bool = True) -> T:
    """The value as the adapter's type.

    Args:
        adapter: of a wire model.
        value: a parsed JSON tree, or keyword arguments as a dict.
        field: the path of the value in the message, put before the field's own.
        by_name: whether Python's names of fields are taken too; not from the wire, whose names are fixed.

    Raises:
        InvalidInput: names the first field that is wrong, its limit, and what to do.
    """
    try:
        return adapter.validate_python(value, by_alias=True, by_name=by_name)
    except ValidationError as error:
        raise _explain(error.errors(include_url=False)[0], field) from None


def _explain(details: ErrorDetails, field: str) -> InvalidInput:
    kind = details["type"]
    path = [str(part) for part in _without_branches(details["loc"], kind)]
    where = ".".join([*([field] if field else []), *path]) or "body"
    cause = details.get("ctx", {}).get("error")
    if isinstance(cause, InvalidInput):
        inner = f"{where}{cause.field}" if cause.field.startswith(".") else where
        return InvalidInput(inner, cause.problem, hint=cause.hint)
    name = path[-1] if path else ""
    if kind == "string_pattern_mismatch":
        rule = _PATTERN_RULES.get(name, _IDENTIFIER_RULE)
        return InvalidInput(where, f"does not follow the rule: {rule}")
    if kind in _TAG_KINDS:
        tag = details.get("ctx", {}).get("discriminator", "").strip("'")
        expected = details.get("ctx", {}).get("expected_tags", "")
        problem = f"unknown; expected one of {expected}" if expected else "field required"
        return InvalidInput(f"{where}.{tag}", problem, hint=_HINTS.get(kind, ""))
    return InvalidInput(
        where, _lower_first(str(cause) if cause else details["msg"]), hint=_HINTS.get(kind, "")
    )


def _without_branches(location: tuple[int | str, ...], kind: str) -> list[int | str]:
    """The path without the names of union branches, which pydantic puts in front of a field's name."""
    *above, last = location or ("",)
    path = [part for part in above if part not in _BRANCHES]
    return path if _is_branch(last, kind) else [*path, last]


def _is_branch(last: int | str, kind: str) -> bool:
    """Whether the last part is no field: the fault is the object's own, or in the name of a field."""
    if isinstance(last, int):
        return False
    if kind in _TAG_KINDS or last == "":
        return True
    return kind == "string_unicode" and last in _BRANCHES and last != "namespace"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
