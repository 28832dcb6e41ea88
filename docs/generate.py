"""Writes the generated documentation: JSON Schemas, AsyncAPI, topology, settings, the command line's help.

`python docs/generate.py` writes; `python docs/generate.py --check` writes nothing, lists what is stale and
then exits with 1.
"""

import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from docs.generation.files import stale, write  # noqa: E402  # the path comes first
from docs.generation.pages import everything  # noqa: E402


def main(arguments: list[str]) -> int:
    """Runs it; returns the exit code."""
    if arguments not in ([], ["--check"]):
        print("usage: python docs/generate.py [--check]", file=sys.stderr)
        return 2
    pages = everything()
    found = stale(ROOT, pages)
    if not arguments:
        write(ROOT, pages, found)
        print(f"docs: {len(found)} of {len(pages)} generated files written" if found else "docs: all current")
        return 0
    for path in found:
        print(f"stale: {path}", file=sys.stderr)
    if found:
        print("run `make docs`, and look at what it changes", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
