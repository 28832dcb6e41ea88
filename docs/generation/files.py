"""Generated files on the disk: which are stale, and writing them."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

Pages = Mapping[str, str]
"""The text of each generated file, by its path from the project's root."""

ONLY_GENERATED: Final = ("docs/schemas",)
"""Folders that hold nothing else: a file there that is not generated any more is stale, too."""


def stale(root: Path, pages: Pages) -> list[str]:
    """The paths of all files that are not as they would be written now, sorted."""
    changed = [path for path, text in pages.items() if _text(root / path) != text]
    return sorted([*changed, *(path for path in _present(root) if path not in pages)])


def write(root: Path, pages: Pages, paths: Iterable[str]) -> None:
    """Writes these files; removes those that are not generated any more."""
    for path in paths:
        file = root / path
        if path not in pages:
            file.unlink()
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(pages[path], encoding="utf-8")


def _present(root: Path) -> list[str]:
    return [
        file.relative_to(root).as_posix() for folder in ONLY_GENERATED for file in (root / folder).glob("*")
    ]


def _text(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.is_file() else None
