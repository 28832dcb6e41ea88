"""What goes into the full-text index, and how it is asked.

A term is the user's hash (8 hexadecimal digits) and a stem, run together. The `ascii` tokenizer of FTS5
takes every byte above 127 for a letter, so it finds the very terms that were made here.
"""

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from memlane.contracts.command import StoreCommand
from memlane.storage.analysis import body_terms, label_terms, query_terms

LABEL_WEIGHT: Final = 3.0
BODY_WEIGHT: Final = 1.0


def indexed_text(command: StoreCommand) -> tuple[str, str]:
    """The texts of the columns `label` and `body`."""
    tag = _user_tag(command.user_id)
    label = label_terms(command.address, command.tags)
    body = body_terms(command.value_json)
    return _join(tag, label), _join(tag, body)


def match_expression(user_id: str, text: str) -> str | None:
    """The FTS5 query that finds what any of the words is about; None where there is no word in it."""
    tag = _user_tag(user_id)
    return " OR ".join(f'"{tag}{term}"' for term in query_terms(text)) or None


def _join(tag: str, terms: list[str]) -> str:
    return tag + f" {tag}".join(terms) if terms else ""


@lru_cache(maxsize=4096)
def _user_tag(user_id: str) -> str:
    return blake2b(user_id.encode(), digest_size=4).hexdigest()
