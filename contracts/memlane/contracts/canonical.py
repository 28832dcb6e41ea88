"""Canonical JSON: one text for one value, so that texts can be compared, hashed and kept as they are.

Objects sorted by key (code points), no white space, UTF-8 unescaped, integers of any size as they are
(up to 4,000 digits), other numbers in the shortest form that reads back as the same double. Refused:
NaN and infinities, lone surrogates, duplicate keys, keys that are not text, more than 64 levels.
"""

import json
import math
import re
from collections.abc import Callable
from typing import Any, Final

from memlane.contracts.errors import InvalidInput, MalformedMessage
from memlane.contracts.limits import MAX_INTEGER_DIGITS, MAX_JSON_DEPTH

# Any: a JSON value is what json.loads returns; its type is known only at run time.
Json = Any

_encoder: Final = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"), check_circular=False
)
_LONG_DIGITS: Final = re.compile(rb"[0-9]{%d}" % (MAX_INTEGER_DIGITS + 1))
_MAX_INTEGER: Final = 10**MAX_INTEGER_DIGITS

_ALWAYS_FINE: Final = frozenset({str, bool, type(None)})
_CONTAINERS: Final = (dict, list, tuple)

# Any: the parent, a path again. Put together only for an error: a key may be long, its items many.
_Path = tuple[Any, str | int] | None


class Flaw:
    """Stands in a parsed tree where the text had something that JSON cannot mean.

    So one bad command of a message can be named and parked, and the others are applied.
    """

    __slots__ = ("problem",)

    def __init__(self, problem: str) -> None:
        self.problem = problem


def _object(pairs: list[tuple[str, Json]]) -> Json:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
    return Flaw(f"the key {twice[:60]!r} stands twice in one object")


def _constant(name: str) -> Flaw:
    return Flaw(f"{name} is not a JSON number")


def _integer(digits: str) -> int | Flaw:
    count = len(digits.lstrip("-"))
    if count > MAX_INTEGER_DIGITS:
        return Flaw(f"an integer of {count} digits, at most {MAX_INTEGER_DIGITS} are allowed")
    return int(digits)


_decoder: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
_careful_decoder: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer
)


def parse(body: bytes | str) -> Json:
    """The tree of a JSON text, with a `Flaw` wherever the text breaks a rule that JSON leaves open.

    Raises:
        MalformedMessage: the text is not UTF-8, or not JSON.
    """
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        data = text.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        has_long = len(data) > MAX_INTEGER_DIGITS and _LONG_DIGITS.search(data)
        return (_careful_decoder if has_long else _decoder).decode(text)
    except RecursionError:
        raise MalformedMessage("body", f"nested deeper than {MAX_JSON_DEPTH} levels") from None
    except UnicodeDecodeError as error:
        raise MalformedMessage("body", f"not UTF-8 at byte {error.start}", hint="send UTF-8 JSON") from None
    except ValueError as error:
        raise MalformedMessage("body", f"not JSON: {error}", hint="send one JSON object") from None


def canonical(value: Json, field: str = "value") -> str:
    """The canonical text of a JSON value.

    Raises:
        InvalidInput: names the field (with the path inside the value) and the rule it breaks.
    """
    if type(value) not in _ALWAYS_FINE:
        _check(value, (None, field), 0)
    try:
        text = _encode(value)
        text.encode()
    except UnicodeEncodeError:
        raise _find_surrogate(value, field) from None
    return text


def _make_encoder() -> Callable[[Json], str]:
    """The standard library's encoder; its C part made once, where `encode` makes it anew at each call."""
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _encoder.encode
    quote = json.encoder.encode_basestring
    # Markers, default, encoder, indent, separators, sort_keys, skipkeys, allow_nan: as in `_encoder`.
    chunks = make(None, _encoder.default, quote, None, ":", ",", True, False, False)
    return lambda value: quote(value) if type(value) is str else "".join(chunks(value, 0))


_encode: Final = _make_encoder()


def _check(value: Json, path: _Path, depth: int) -> None:
    """Walks a tree and raises at the first thing that has no canonical text."""
    if isinstance(value, int):
        if not -_MAX_INTEGER < value < _MAX_INTEGER:
            raise InvalidInput(_join(path), f"an integer may have at most {MAX_INTEGER_DIGITS} digits")
    elif isinstance(value, _CONTAINERS):
        _check_container(value, path, depth + 1)
    elif isinstance(value, Flaw):
        raise InvalidInput(_join(path), value.problem)
    elif isinstance(value, float) and not math.isfinite(value):
        raise InvalidInput(_join(path), "NaN and infinite numbers are not JSON", hint="send null, or text")
    elif value is not None and not isinstance(value, str | float):
        problem = f"{type(value).__name__} is not a JSON type"
        raise InvalidInput(_join(path), problem, hint="convert it first")


def _check_container(value: Json, path: _Path, depth: int) -> None:
    if depth > MAX_JSON_DEPTH:
        raise InvalidInput(_join(path), f"nested deeper than {MAX_JSON_DEPTH} levels", hint="flatten it")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InvalidInput(_join(path), f"the key {key!r} is not text", hint="JSON keys are strings")
            if type(item) not in _ALWAYS_FINE:
                _check(item, (path, key), depth)
    else:
        for index, item in enumerate(value):
            if type(item) not in _ALWAYS_FINE:
                _check(item, (path, index), depth)


def _join(path: _Path) -> str:
    parts = []
    while path is not None:
        path, part = path
        parts.append(str(part))
    return ".".join(reversed(parts))


def _find_surrogate(value: Json, field: str) -> InvalidInput:
    """The error for the first text in the tree that is not valid Unicode."""
    problem = "a lone surrogate (half of a UTF-16 pair) is not valid text"
    stack: list[tuple[_Path, Json]] = [((None, field), value)]
    while stack:
        where, item = stack.pop()
        if isinstance(item, str) and not _is_text(item):
            return InvalidInput(_join(where), problem, hint="pair or remove it")
        if isinstance(item, dict):
            if not all(map(_is_text, item)):
                return InvalidInput(_join(where), f"in a key: {problem}", hint="pair or remove it")
            stack += [((where, key), child) for key, child in item.items()]
        elif isinstance(item, list | tuple):
            stack += [((where, index), child) for index, child in enumerate(item)]
    return InvalidInput(field, problem)


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
