"""The rules file: what is wrong with it is said at start, with its place and what to do."""

from pathlib import Path

import pytest

from memlane.contracts.errors import ConfigurationError
from memlane.workers.access.rules_file import load_rules

RULE = '[[rules]]\naccounts = ["bot"]\nusers = ["u"]\nmay = ["read"]\n'


def load(folder: Path, text: str) -> None:
    """Writes the file and loads it."""
    path = folder / "rules.toml"
    path.write_text(text, encoding="utf-8")
    load_rules(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("worker_accounts = 7", "worker_accounts"),
        ('workers = ["w"]', "workers: there is no such field"),
        ("[[rules]]", r"rules\.0\.accounts: Field required"),
        (RULE + "namespace = 'a'", r"rules\.0\.namespace: there is no such field"),
        (RULE.replace('["read"]', '["delete"]'), r"rules\.0\.may\.0: .*'read' or 'write'"),
        (RULE.replace('["read"]', "[]"), r"rules\.0\.may: "),
        (RULE.replace('["u"]', "[]"), r"rules\.0\.users: "),
        (RULE.replace('["u"]', '["*-team"]'), r"rules\.0\.users\.0: `\*` stands alone"),
        (RULE.replace('["bot"]', '["*"]'), r"rules\.0\.accounts\.0: an account is named in full"),
        (RULE + 'namespaces = ["profile/*"]', r"rules\.0\.namespaces\.0: .*leave the field out"),
        (RULE + 'namespaces = ["a//b"]', r"rules\.0\.namespaces\.0: "),
        (RULE + "namespaces = []", r"rules\.0\.namespaces: "),
        ('worker_accounts = ["x"]\ngateway_accounts = ["x"]', "'x' is a worker account and a gateway"),
        ("worker_accounts = [", "are not TOML"),
    ],
)
def test_what_can_not_work_is_named(tmp_path: Path, text: str, problem: str) -> None:
    """The file, the field, and where to read on."""
    with pytest.raises(ConfigurationError, match=rf"rules\.toml.*{problem}.*docs/access\.md"):
        load(tmp_path, text)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the setting that names it."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.toml can't be read: .*MEMLANE_ACCESS_RULES"):
        load_rules(tmp_path / "nowhere.toml")


def test_bytes_that_are_no_text_are_an_error_too(tmp_path: Path) -> None:
    """Not a traceback."""
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="are not TOML"):
        load_rules(path)


def test_an_empty_file_allows_only_workers_anything(tmp_path: Path) -> None:
    """It is valid: everybody else is shut out."""
    path = tmp_path / "rules.toml"
    path.touch()
    assert load_rules(path).rules == ()
