"""Nothing in here is of one machine, and nothing says where packages come from."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.project import ROOT, files, name_of, text_of

_URL_HOST: Final = re.compile(r"https?://(?:[^\s/@\"']*@)?([A-Za-z0-9.-]+)")
_MACHINE_PATH: Final = re.compile(r"(?<![\w/.~-])/(?:home|root|Users|work|mnt|srv)/[A-Za-z]")
_TRACKER: Final = re.compile(r"\bissue #?\d", re.IGNORECASE)

HOSTS: Final = {
    "127.0.0.1",
    "localhost",
    "host",
    "github.com",
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "www.apache.org",
    "docs.pytest.org",
    "redis.io",
    "testcontainers.com",
    "www.rabbitmq.com",
}
"""All that a file may point to; placeholders and documentation. No package index."""


def _found(pattern: re.Pattern[str]) -> set[tuple[str, str]]:
    here = Path(__file__)
    texts = ((file, text_of(file)) for file in files() if file != here)
    return {(name_of(file), found) for file, text in texts for found in pattern.findall(text)}


def test_no_file_names_a_host_that_is_not_known() -> None:
    """Least of all a package index: everybody has their own."""
    assert {(file, host) for file, host in _found(_URL_HOST) if host not in HOSTS} == set()


def test_no_file_names_a_path_of_this_machine() -> None:
    """Nor the folder in which the project happens to be."""
    assert _found(_MACHINE_PATH) == set()
    assert _found(re.compile(re.escape(f"{ROOT}/"))) == set()


def test_no_file_names_a_ticket() -> None:
    """Who reads the code has no tracker beside it."""
    assert _found(_TRACKER) == set()


@pytest.mark.parametrize("name", ["requirements.lock", "tests/acceptance/wire/package-lock.json"])
def test_lock_files_carry_hashes_and_no_addresses(name: str) -> None:
    """So that they work with every index, and take nothing else than what they name."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "sha256:" in text or "sha512-" in text
