"""The proof that no private server is left behind."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from memlane.testing.servers.installing import ensure_installed
from memlane.testing.servers.kinds import Kind
from memlane.testing.servers.waiting import wait_until

SOON = timedelta(seconds=15)

Residents = Callable[[Path], list[str]]


@pytest.fixture(scope="session")
def installed() -> None:
    """Both servers' programs are here: installed now, where they are missing and may be."""
    ensure_installed(Kind)


@pytest.fixture(scope="session")
def residents() -> Residents:
    """Tells which processes live in a folder: they work there, or have it in their environment."""
    if not Path("/proc/self/environ").exists():
        pytest.skip("needs /proc")
    return _residents


@pytest.fixture(autouse=True)
def nothing_left_behind(tmp_path: Path, residents: Residents) -> Iterator[None]:
    """Fails the test that leaves a server, its port mapper or its guard running."""
    yield
    assert wait_until(lambda: not residents(tmp_path), within=SOON), residents(tmp_path)


def _residents(folder: Path) -> list[str]:
    return [_command(pid) for pid in _pids() if _lives_in(pid, folder)]


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _lives_in(pid: int, folder: Path) -> bool:
    if pid == os.getpid():
        return False
    try:
        place = Path(f"/proc/{pid}/cwd").readlink()
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return False
    return place.is_relative_to(folder) or os.fsencode(folder) in environment


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
