"""Lists the files that should have been two: those over 400 lines. `make check` fails on one."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDERS: Final = ("contracts", "producers", "storage", "workers", "benchmarks", "tests", "docs")
SUFFIXES: Final = frozenset({".py", ".lua", ".mjs"})
MOST_LINES: Final = 400


class Exempt(NamedTuple):
    """A file that may be longer: how long, and why."""

    lines: int
    reason: str


EXCEPTIONS: Final[Mapping[str, Exempt]] = MappingProxyType(
    {
        "producers/memlane/producers/client/memory_client.py": Exempt(
            450, "the client's whole surface in one place; half of it is what its methods promise"
        ),
    }
)


def lines_by_file() -> dict[str, int]:
    """How many lines each source file has, by its path from the project's root."""
    found = sorted(
        file
        for folder in FOLDERS
        for file in (ROOT / folder).rglob("*")
        if file.suffix in SUFFIXES and "node_modules" not in file.parts
    )
    return {_name(file): len(file.read_text(encoding="utf-8").splitlines()) for file in found}


def problems(lines: Mapping[str, int], exceptions: Mapping[str, Exempt] = EXCEPTIONS) -> list[str]:
    """A line for each file that is too long, and for each exception whose file is not there."""
    most = {name: exceptions[name].lines if name in exceptions else MOST_LINES for name in lines}
    too_long = [
        f"{name}: {count} lines, at most {most[name]}; make it two, or say why not in {_name(Path(__file__))}"
        for name, count in lines.items()
        if count > most[name]
    ]
    return too_long + [
        f"{name}: named as an exception, but not there" for name in exceptions if name not in lines
    ]


def _name(file: Path) -> str:
    return file.resolve().relative_to(ROOT).as_posix()


if __name__ == "__main__":
    found = problems(lines_by_file())
    print("\n".join(found) or "No file is too long.", file=sys.stderr)  # noqa: T201
    sys.exit(1 if found else 0)
