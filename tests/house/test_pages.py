"""Links lead somewhere, targets are there, and what a page names exists."""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.house.project import DOCS, ROOT, blocks, files, name_of, pages, text_of

_LINK: Final = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING: Final = re.compile(r"^#+ (.+)$", re.M)
_TARGET: Final = re.compile(r"^([a-z-]+):.*## (.+)$", re.M)
_MAKE: Final = re.compile(r"(?:`|^)make (?:--silent )?([a-z-]+)", re.M)
_TARGET_ROW: Final = re.compile(r"^\| `make ([a-z-]+)` \| (.+) \|$", re.M)
_NUMBERED: Final = re.compile(r"^\d\. \[`([^`]+)`\]\(\.\./([^)]+)\)", re.M)
_IDS: Final = [name_of(page) for page in pages()]
MIN_STEPS, MAX_STEPS = 6, 8


def _without_code(text: str) -> str:
    return re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)


def _anchors(page: Path) -> set[str]:
    """As GitHub makes them from headings."""
    headings = _HEADING.findall(_without_code(text_of(page)))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=_IDS)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that is on its page."""
    broken = []
    for link in _LINK.findall(_without_code(text_of(page))):
        path, _, anchor = link.partition("#")
        target = page if not path else (page.parent / path).resolve()
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_can_be_found_from_the_index() -> None:
    """From docs/README.md, and every decision from the index of decisions."""
    for folder in (DOCS, DOCS / "decisions"):
        index = text_of(folder / "README.md")
        missing = [page.name for page in folder.glob("*.md") if f"]({page.name})" not in index]
        assert sorted(set(missing) - {"README.md"}) == []


def test_every_decision_says_what_a_decision_says() -> None:
    """Context, choice, what it costs, and what would change our mind."""
    for page in (DOCS / "decisions").glob("0*.md"):
        headings = _HEADING.findall(text_of(page))
        wanted = ["Context", "Choice", "What it costs", "What would change our mind"]
        assert headings[1:] == wanted, page.name


def test_the_readme_lists_the_make_targets() -> None:
    """All of them, in the words of `make help`."""
    targets = _TARGET.findall(text_of(ROOT / "Makefile"))
    assert _TARGET_ROW.findall(text_of(ROOT / "README.md")) == targets


@pytest.mark.parametrize("page", pages(), ids=_IDS)
def test_every_make_target_that_a_page_names_is_there(page: Path) -> None:
    """So that what a page says can be typed."""
    targets = {name for name, _ in _TARGET.findall(text_of(ROOT / "Makefile"))}
    assert set(_MAKE.findall(text_of(page))) - targets == set()


def test_the_life_of_a_command_names_its_files_in_order() -> None:
    """Six to eight for a command, and as many for a question; each is there, and the text is its own path."""
    halves = text_of(DOCS / "life-of-a-command.md").split("\n## ")[1:3]
    for half in halves:
        steps = _NUMBERED.findall(half)
        assert MIN_STEPS <= len(steps) <= MAX_STEPS
        for text, path in steps:
            assert text == path
            assert (ROOT / path).is_file()


def test_every_path_that_a_page_names_is_there() -> None:
    """Of source files, given from the project's root."""
    path = re.compile(r"`((?:contracts|producers|storage|workers|tests|benchmarks|compose)/[\w./-]+)`")
    named = [(name_of(page), found) for page in pages() for found in path.findall(text_of(page))]
    assert [(page, found) for page, found in named if not (ROOT / found).exists()] == []


def test_examples_in_python_are_valid_python() -> None:
    """Those that are not run as well."""
    for page in pages():
        for block in blocks(page):
            if block.language == "python":
                compile(block.text, name_of(page), "exec", flags=0x2000)  # top-level await is allowed


def test_no_python_portion_has_an_init_in_the_namespace() -> None:
    """`memlane` is a namespace: one `__init__.py` would hide the other folders."""
    assert [name_of(file) for file in files(".py") if file.match("memlane/__init__.py")] == []
