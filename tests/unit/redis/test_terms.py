"""How much an entry is about its terms."""

from itertools import pairwise

from memlane.contracts.canonical import Json
from memlane.contracts.command import StoreCommand
from memlane.storage.redis.terms import weighted_terms


def _weights(value: Json, key: str = "k", tags: tuple[str, ...] = ()) -> dict[str, int]:
    command = StoreCommand(
        id="01890a5d-ac96-774b-bcce-b302099a8057",
        user_id="u",
        namespace="n",
        key=key,
        value_json=value,
        tags=tags,
    )
    return {word[3:]: int(word[:3]) for word in weighted_terms(command).split(" ")}


def test_what_is_said_again_counts_less_and_less() -> None:
    """But always more, up to a bound; the weights have three digits."""
    weights = [_weights("wine " * times)["wine"] for times in (1, 2, 3, 10, 10_000)]
    assert weights[0] == 100
    assert weights == sorted(set(weights))
    steps = [later - earlier for earlier, later in pairwise(weights[:3])]
    assert steps == sorted(steps, reverse=True)
    assert all(100 <= weight < 1000 for weight in _weights("wine " * 99, "wine " * 50, ("wine",)).values())


def test_what_names_an_entry_counts_three_times() -> None:
    """In key, namespace or tags; and in the value as well, it adds up."""
    weights = _weights("red wine", key="wine", tags=("cellar",))
    assert weights == {"red": 100, "wine": 400, "cellar": 300, "n": 300}


def test_terms_that_are_numbers_keep_their_digits() -> None:
    """A weight is no part of a term."""
    assert _weights([2026, "007"]) == {"2026": 100, "007": 100, "k": 300, "n": 300}
