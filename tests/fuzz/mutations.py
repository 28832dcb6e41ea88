"""Mutations of bodies: fast, many, and the same for the same seed."""

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

from tests.fuzz.structures import FIELDS
from tests.support.commands import raw_message, raw_store, version

_TOKENS: Final = (
    b"NaN", b"-Infinity", b"1e999", b"-0", b"9" * 5000, b'"\\ud800"', b'"\\u0000"', b"\xff\xfe",
    b"\xef\xbb\xbf", b"null", b"true", b"{}", b"[]", b'""', b"1.5", b"18446744073709551616",
    b'"' + b"x" * 300 + b'"',
    b"[" * 70 + b"]" * 70, b'{"a":' * 100 + b"1" + b"}" * 100, b'{"a":1,"a":2}', b'"\x1b[2J"', b"0x10", b"01",
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, -1, 0, 11, 2**70, 1.5, "", "x" * 256, "a\x00b", "\ud800", "a/b", "/", [], {}, ["a", 1],
    {"a": []}, [[]] * 101, ["t"] * 101, "2026-01-01T00:00:00", "9999-12-31T23:59:59-23:59",
    "0000-00-00T00:00:00Z",
    "ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-7000-8000-000000000000",
    "01890A5D-AC96-774B-BCCE-B302099A8057", "01890a5d-ac96-474b-bcce-b302099a8057",
)  # fmt: skip

Mutation = Callable[[Random, bytes], bytes]


def flip(random: Random, body: bytes) -> bytes:
    """Some bytes are others."""
    changed = bytearray(body or b"x")
    for _ in range(random.randint(1, 8)):
        changed[random.randrange(len(changed))] = random.randrange(256)
    return bytes(changed)


def cut(random: Random, body: bytes) -> bytes:
    """The end, the beginning or a piece is missing."""
    first, last = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return random.choice((body[:first], body[last:], body[:first] + body[last:]))


def repeat(random: Random, body: bytes) -> bytes:
    """A piece stands there twice."""
    first, last = sorted(random.randrange(len(body) + 1) for _ in range(2))
    return body[:last] + body[first:]


def put_token(random: Random, body: bytes) -> bytes:
    """Something that JSON does not mean, or not here, in place of a piece."""
    at = random.randrange(len(body) + 1)
    return body[:at] + random.choice(_TOKENS) + body[at + random.randint(0, 3) :]


def replace_value(random: Random, body: bytes) -> bytes:
    """A value of some field is another token; the rest stays JSON."""
    places = [at for at, one in enumerate(body[:4000]) if one == ord(":")]
    if not places:
        return put_token(random, body)
    at = random.choice(places) + 1
    ends = [end for end in (body.find(one, at) for one in b",}") if end >= 0]
    return body[:at] + random.choice(_TOKENS) + body[min(ends, default=at) :]


def retype(random: Random, _body: bytes) -> bytes:
    """Fields of a command are of another type, or another text."""
    command = raw_store(user_id="fuzz", key=f"k{random.randrange(50)}")
    for field in random.sample(FIELDS, random.randint(1, 3)):
        command[field] = random.choice(_VALUES)
    return raw_message(raw_store(user_id="fuzz"), command)


def drop_field(random: Random, _body: bytes) -> bytes:
    """Fields are missing, or one is unknown."""
    command = raw_store(user_id="fuzz", tags=["a"], importance=3)
    for field in random.sample(sorted(command), random.randint(1, 2)):
        del command[field]
    return raw_message(command, *([{**raw_store(), "more": 1}] if random.random() < 0.3 else []))


def double_field(random: Random, _body: bytes) -> bytes:
    """A field stands twice in its command, or in the envelope."""
    text = raw_message(raw_store(user_id="fuzz")).decode()
    field = random.choice(('"key": "other", ', '"value": 2, ', '"user_id": "u", ', f'"id": "{version()}", '))
    return text.replace('"type"', f'{field}"type"', 1).encode()


def nest(random: Random, _body: bytes) -> bytes:
    """A value is nested, up to far deeper than anybody reads."""
    depth = random.choice((60, 63, 64, 65, 500, 5000, 50_000))
    opening, closing = random.choice((("[", "]"), ('{"a":', "}")))
    value = f"{opening * depth}1{closing * depth}"
    text = raw_message(raw_store(user_id="fuzz", value="VALUE")).decode()
    return text.replace('"VALUE"', value).encode()


def encode_otherwise(random: Random, body: bytes) -> bytes:
    """The text in an encoding that is not UTF-8, or compressed, says some header."""
    text = body.decode("utf-8", "replace")
    return text.encode(random.choice(("utf-16", "utf-32", "utf-7", "latin-1", "utf-8-sig")), "replace")


def crowd(random: Random, _body: bytes) -> bytes:
    """As many commands as are allowed, or one more; one of them may be bad."""
    count = random.choice((0, 50, 500, 501))
    commands = [raw_store(user_id="fuzz", key=f"k{n}") for n in range(count)]
    if commands and random.random() < 0.5:
        random.choice(commands)["importance"] = 99
    return raw_message(*commands)


def swell(random: Random, _body: bytes) -> bytes:
    """A message around the largest size, by a text or by numbers that take more room when written again."""
    size = random.choice((1_000_000, 1_048_400, 1_048_576, 1_100_000))
    value: Any = random.choice(("x" * size, None))
    if value is not None:
        return raw_message(raw_store(user_id="fuzz", value=value))
    text = json.dumps({"schema": 1, "commands": [raw_store(user_id="fuzz", value="VALUE")]})
    return text.replace('"VALUE"', f"[{','.join(['1e15'] * (size // 5))}]").encode()


COMMON: Final[tuple[Mutation, ...]] = (
    flip, cut, repeat, put_token, replace_value, replace_value, retype, retype, drop_field, double_field,
    encode_otherwise,
)  # fmt: skip
RARE: Final[tuple[Mutation, ...]] = (nest, crowd)
HEAVY: Final[tuple[Mutation, ...]] = (swell,)
"""So large that a run has some of each only."""
