"""A file that is too long should have been two."""

from tests.house.file_sizes import MOST_LINES, Exempt, lines_by_file, problems


def test_no_file_is_too_long() -> None:
    """The same check as `python tests/house/file_sizes.py`."""
    assert problems(lines_by_file()) == []


def test_a_long_file_is_told_of_unless_there_is_a_reason() -> None:
    """And a reason whose file has gone is told of as well."""
    exempt = {"c.py": Exempt(1000, "generated")}
    lines = {"a.py": MOST_LINES, "b.py": MOST_LINES + 1, "c.py": 1000}
    (found,) = problems(lines, exempt)
    assert found.startswith("b.py: 401 lines")
    assert len(problems({"c.py": 1001}, exempt)) == 1
    assert problems({}, exempt) == ["c.py: named as an exception, but not there"]
