"""A command and a question pass the files that docs/life-of-a-command.md names, in that order."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from memlane.client import MemoryClient
from memlane.contracts.topology import COMMANDS, QUERIES
from memlane.storage.sqlite import SqliteSink
from tests.house.project import DOCS, ROOT
from tests.support.broker import connected_broker
from tests.support.system import running_system

_NUMBERED: Final = re.compile(r"^\d\. \[`([^`]+)`\]", re.M)


@contextmanager
def _files_that_are_run() -> Iterator[list[str]]:
    """The project's files in which a function is called, in order, as often as that happens."""
    seen: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(ROOT)) and ".venv" not in file:
            name = file[len(str(ROOT)) + 1 :]
            if not seen or seen[-1] != name:
                seen.append(name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def _steps(half: int) -> list[str]:
    text = (DOCS / "life-of-a-command.md").read_text(encoding="utf-8")
    return _NUMBERED.findall(text.split("\n## ")[half])


def _missing(steps: list[str], run: list[str]) -> list[str]:
    """The steps that are not run behind those before them."""
    rest = iter(run)
    return [step for step in steps if step not in rest]


async def test_a_command_and_a_question_pass_the_files_in_order(
    vhosts: Iterator[str], tmp_path: Path
) -> None:
    """Seen by watching which files are run while a store is waited for, and while it is got."""
    sink = SqliteSink(tmp_path / "memory.db")
    async with connected_broker(next(vhosts)) as broker, running_system(broker, [sink], tmp_path) as system:
        settings = system.client_settings()
        async with MemoryClient(settings=settings) as memory:
            with _files_that_are_run() as stored:
                await memory.store("u1", "favorite_color", "blue", wait="all")
            with _files_that_are_run() as got:
                assert await memory.get("u1", "favorite_color") is not None
    assert _missing(_steps(1), stored) == []
    assert _missing(_steps(2), got) == []


def test_the_page_names_the_exchanges() -> None:
    """By their real names."""
    text = (DOCS / "life-of-a-command.md").read_text(encoding="utf-8")
    assert f"`{COMMANDS}`" in text
    assert f"`{QUERIES}`" in text
