"""Ranking by Okapi BM25 (Robertson and Zaragoza, 2009) over one user's own entries."""

from collections import Counter
from collections.abc import Collection, Mapping
from math import log
from typing import Final, NamedTuple

from memlane.contracts.command import StoreCommand
from memlane.storage.analysis import body_terms, label_terms

LABEL_WEIGHT: Final = 3
"""What a term in a key, namespace or tag counts; one in the value counts 1."""

_K1: Final = 1.2
_B: Final = 0.75


class Document(NamedTuple):
    """The terms of an entry with their weighted counts, and how many terms it has."""

    weights: Mapping[str, int]
    length: int


def document(command: StoreCommand) -> Document:
    """What a search finds an entry by."""
    label = label_terms(command.address, command.tags)
    body = body_terms(command.value_json)
    weights = Counter(body)
    for term in label:
        weights[term] += LABEL_WEIGHT
    return Document(weights, len(label) + len(body))


def scores(terms: Collection[str], documents: Collection[Document]) -> list[float]:
    """The score of each document, in order; 0 where none of the terms is in it."""
    rarity = {term: _rarity(term, documents) for term in terms}
    average = sum(one.length for one in documents) / len(documents) if documents else 1.0
    return [_score(rarity, one, average or 1.0) for one in documents]


def _score(rarity: Mapping[str, float], one: Document, average: float) -> float:
    length = _K1 * (1 - _B + _B * one.length / average)
    return sum(
        weight * (_K1 + 1) / (weight + length) * rare
        for term, rare in rarity.items()
        if (weight := one.weights.get(term, 0))
    )


def _rarity(term: str, documents: Collection[Document]) -> float:
    holding = sum(term in one.weights for one in documents)
    return log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
