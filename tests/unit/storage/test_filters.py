"""What filters mean."""

from hypothesis import given
from hypothesis import strategies as st

from memlane.storage.filters import _key_regex, metadata_matches

_patterns = st.text("ab*?[.\n", max_size=8)
_keys = st.text("ab[.\n", max_size=8)


def _slowly(pattern: str, key: str) -> bool:
    """By the definition, trying everything."""
    if not pattern:
        return not key
    if pattern[0] == "*":
        return any(_slowly(pattern[1:], key[at:]) for at in range(len(key) + 1))
    return bool(key) and pattern[0] in ("?", key[0]) and _slowly(pattern[1:], key[1:])


@given(pattern=_patterns, key=_keys)
def test_stars_and_question_marks(pattern: str, key: str) -> None:
    """`*` is any text, `?` any one character, all else itself."""
    assert bool(_key_regex(pattern).fullmatch(key)) == _slowly(pattern, key)


def test_many_stars_take_no_longer() -> None:
    """A pattern that nearly matches everywhere comes to an end."""
    assert not _key_regex("*a" * 100 + "*b").fullmatch("a" * 255)
    assert _key_regex("*a" * 100 + "*").fullmatch("a" * 255)


def test_equal_means_equal_json() -> None:
    """1, 1.0 and true are three values; objects are equal in any order."""
    assert metadata_matches('{"a":{"x":1,"y":[2]},"b":0}', '{"a":{"y":[2],"x":1}}')
    for value in ("1.0", "true", '"1"', "[1]"):
        assert not metadata_matches('{"a":1}', f'{{"a":{value}}}')
    assert not metadata_matches("{}", '{"a":null}')
    assert metadata_matches('{"a":null}', "{}")
