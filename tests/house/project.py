"""The project's own files, for tests that read them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"

_NOT_OURS: Final = {
    ".git",
    ".venv",
    ".memlane",
    ".hypothesis",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
    ".import_linter_cache",
    "__pycache__",
    "node_modules",
    "build",
    "dist",
}
_FENCE: Final = re.compile(
    r"^(?:<!-- (?P<note>.*?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


@dataclass(frozen=True)
class Block:
    """A block of code on a page; `note` is the comment right above it."""

    language: str
    text: str
    note: str


def files(*suffixes: str) -> list[Path]:
    """All files of the project with one of these suffixes (none: all); no caches, and nothing installed."""
    found = _below(ROOT)
    return sorted(file for file in found if not suffixes or file.suffix in suffixes)


def text_of(file: Path) -> str:
    """The text of a file; empty where it is none."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def name_of(file: Path) -> str:
    """The path from the project's root."""
    return file.relative_to(ROOT).as_posix()


def pages() -> list[Path]:
    """All pages of documentation."""
    return files(".md")


def blocks(page: Path) -> list[Block]:
    """The blocks of code on a page, in order."""
    return [
        Block(found["language"], found["text"], found["note"] or "")
        for found in _FENCE.finditer(page.read_text(encoding="utf-8"))
    ]


def _below(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _NOT_OURS or entry.name.endswith(".egg-info") or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from _below(entry)
        else:
            yield entry
