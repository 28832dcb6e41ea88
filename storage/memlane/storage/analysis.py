"""From text to search terms, alike in every sink: what one finds, the others find.

Words are runs of letters and digits, without accents or case, reduced to their stem (Porter2, by
Snowball); `camelCase` and `snake_case` are several words; each character of a script that is written
without spaces is a word by itself.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

import Stemmer

from memlane.contracts.address import Address
from memlane.contracts.canonical import Json

MAX_TERMS: Final = 10_000
"""Of one entry's value; what is behind them is kept but not found by."""

MAX_TERM_CHARACTERS: Final = 64

_WORDS: Final = re.compile(r"[^\W_]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_UNSPACED: Final = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿\u0e00-\u0e7f]")
_stemmer: Final = Stemmer.Stemmer("english")


def terms(text: str) -> list[str]:
    """The search terms of a text, in order, with repetitions."""
    if not text.islower():
        text = _CAMEL.sub(" ", text)
    if text.isascii():
        return [_stem(word[:MAX_TERM_CHARACTERS]) for word in _WORDS.findall(text.lower())]
    # Before and after: styled letters become plain ones that have a case, folded ones may come apart again.
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(char for char in plain if not unicodedata.combining(char))
    plain = _UNSPACED.sub(lambda match: f" {match[0]} ", plain)
    return [_stem(word[:MAX_TERM_CHARACTERS]) for word in _WORDS.findall(plain)]


def label_terms(address: Address, tags: Iterable[str]) -> list[str]:
    """The terms of what names an entry: its key, its namespace, its tags."""
    return terms(" ".join((address.key, address.namespace, *tags)))


def body_terms(value_json: str) -> list[str]:
    """The terms of an entry's value: all texts, numbers and object keys in it; at most 10,000."""
    if value_json[0] == '"' and "\\" not in value_json:
        return terms(value_json[1:-1])[:MAX_TERMS]
    value = json.loads(value_json)
    text = value if isinstance(value, str) else " ".join(_texts(value))
    return terms(text)[:MAX_TERMS]


def query_terms(text: str) -> list[str]:
    """The terms of what a person typed, each once. Nothing in it is syntax."""
    return list(dict.fromkeys(terms(text)))


def _texts(value: Json) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem[:MAX_TERM_CHARACTERS]
