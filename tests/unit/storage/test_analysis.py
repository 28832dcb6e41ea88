"""From text to search terms, alike in every sink."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memlane.contracts.address import Address
from memlane.contracts.canonical import canonical
from memlane.storage.analysis import (
    MAX_TERM_CHARACTERS,
    MAX_TERMS,
    _stem,
    body_terms,
    label_terms,
    query_terms,
    terms,
)
from memlane.storage.conformance.strategies import json_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running, runs; RUN!", ["run", "run", "run"]),
        ("favoriteColor favorite_color", ["favorit", "color", "favorit", "color"]),
        ("HTTPServer v2", ["httpserver", "v2"]),
        ("Café Zoë STRASSE Straße", ["cafe", "zoe", "strass", "strass"]),
        (
            "\U0001d407\U0001d41e\U0001d425\U0001d425\U0001d428 \u2115 \uff21\uff22\uff23 \u2460",
            ["hello", "n", "abc", "1"],
        ),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("rock'n'roll 3.25", ["rock", "n", "roll", "3", "25"]),
        ("", []),
        ("*?!\"'\u2028🙂", []),
    ],
)
def test_words_and_their_stems(text: str, expected: list[str]) -> None:
    """In order, with repetitions."""
    assert terms(text) == expected


def test_labels_are_key_namespace_and_tags() -> None:
    """Not the user."""
    assert label_terms(Address("nobody", "profile/food", "favorite_dish"), ["taste"]) == [
        "favorit",
        "dish",
        "profil",
        "food",
        "tast",
    ]


def test_bodies_are_all_texts_numbers_and_keys() -> None:
    """Not what JSON itself says."""
    assert body_terms('{"colors":["blue",{"n":42}],"t":true,"z":null}') == [
        "color",
        "blue",
        "n",
        "42",
        "t",
        "z",
    ]


def test_a_question_says_each_term_once() -> None:
    """In order."""
    assert query_terms("run RUNNING wine run") == ["run", "wine"]


def test_long_texts_are_bounded() -> None:
    """So many terms, each so long; and what is remembered of them is no longer either."""
    assert len(body_terms(canonical("a b " * MAX_TERMS))) == MAX_TERMS
    _stem.cache_clear()
    (term,) = terms("x" * 1_000_000)
    assert len(term) == MAX_TERM_CHARACTERS
    assert terms("x" * 2_000_000) == [term]
    assert _stem.cache_info().currsize == 1


@given(text=st.text())
def test_any_text_has_terms(text: str) -> None:
    """Without white space, case or quotes: they can be put into any index as they are."""
    for term in terms(text):
        assert term.isalnum()
        assert term.casefold() == term
        assert len(term) <= MAX_TERM_CHARACTERS


@given(value=json_values())
def test_any_value_has_terms(value: object) -> None:
    """Whatever it is."""
    assert len(body_terms(canonical(value))) <= MAX_TERMS
