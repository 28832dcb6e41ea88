"""What an entry is found by: its terms, each once, with how much it is about them.

As in BM25, what is said again counts less and less. The length of an entry does not count: the average
length, to which it would be compared, changes with every other entry.
"""

from collections import Counter
from typing import Final

from memlane.contracts.command import StoreCommand
from memlane.contracts.entry import Entry
from memlane.storage.analysis import body_terms, label_terms

_SATURATION: Final = 1.2
_MOST_TIMES: Final = 50
_BODY: Final = [round(100 * n * (1 + _SATURATION) / (n + _SATURATION)) for n in range(_MOST_TIMES + 1)]
"""The weight of a term by how often the value says it, in hundredths: 100 for once, up to 215."""
_LABEL: Final = [3 * weight for weight in _BODY]
"""Likewise where it names the entry: in its key, its namespace or its tags."""


def weighted_terms(command: StoreCommand) -> str:
    """Each term behind its weight (hundredths, three digits), with spaces between."""
    weights = {
        term: _BODY[min(times, _MOST_TIMES)]
        for term, times in Counter(body_terms(command.value_json)).items()
    }
    for term, times in Counter(label_terms(command.address, command.tags)).items():
        weights[term] = weights.get(term, 0) + _LABEL[min(times, _MOST_TIMES)]
    return " ".join([f"{weight}{term}" for term, weight in weights.items()])


def entry_terms(entry: Entry) -> set[str]:
    """What a stored entry is found by."""
    return {*label_terms(entry.address, entry.tags), *body_terms(entry.value_json)}
