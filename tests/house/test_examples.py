"""What the README and the quickstart show is what happens: each command and program of theirs is run."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from memlane.testing.servers import RedisServer
from tests.acceptance.wire.memlane_up import memlane_up
from tests.house.project import DOCS, ROOT, name_of
from tests.house.running import commands, comparable, output_behind, programs, run_on_terminal

README: Final = ROOT / "README.md"
QUICKSTART: Final = DOCS / "quickstart.md"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the reader is."""
    return tmp_path_factory.mktemp("reader")


@pytest.fixture(scope="module")
def environment(vhosts: Iterator[str], redis_server: RedisServer, folder: Path) -> Iterator[dict[str, str]]:
    """The reader's, while memlane is up with SQLite and Redis."""
    settings = {
        "MEMLANE_AMQP_URL": next(vhosts),
        "MEMLANE_REDIS_URL": redis_server.url,
        "MEMLANE_REDIS_PREFIX": "examples",
        "MEMLANE_STATE_DIR": str(folder / "state"),
        "MEMLANE_DEADLINE": "PT10S",
    }
    with memlane_up(folder, settings):
        yield {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **settings}


def test_the_commands_of_the_quickstart_write_what_it_shows(
    environment: dict[str, str], folder: Path
) -> None:
    """In order, on a terminal; but for versions and times."""
    shown = commands(QUICKSTART)
    assert len(shown) >= 10
    for command in shown:
        written = run_on_terminal(command.line, environment, folder)
        assert comparable(written) == comparable(command.output), command.line


@pytest.mark.parametrize("page", [README, QUICKSTART], ids=name_of)
def test_the_program_of_the_page_prints_what_it_shows(
    page: Path, environment: dict[str, str], folder: Path
) -> None:
    """To the letter."""
    (program,) = programs(page)
    done = subprocess.run(  # noqa: S603  # the page's own program
        [sys.executable, "-W", "error", "-c", program],
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, output_behind(page, program)), done.stderr
