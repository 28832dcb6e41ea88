"""What tests leave behind: threads, child processes, connections, asyncio tasks, containers."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SHARED: Final[set[Path]] = set()
"""The folders of servers that several tests share: these may be restarted."""

_GRACE_SECONDS: Final = 5.0
_FDS: Final = Path("/proc/self/fd")


def _threads() -> set[str]:
    # The pool of an event loop ends with the loop.
    return {
        f"{one.name} ({one.ident})" for one in threading.enumerate() if not one.name.startswith("asyncio_")
    }


def _children() -> set[str]:
    """The child processes that run, by process id and command; none where there is no /proc."""
    tasks = Path("/proc/self/task")
    pids = [pid for task in tasks.glob("*/children") for pid in _read(task).split()]
    return {f"{pid} {name}" for pid in pids if not _is_shared(pid) and (name := _command(pid))}


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # the thread has ended meanwhile
        return ""


def _is_shared(pid: str) -> bool:
    folder = Path(_target(Path(f"/proc/{pid}/cwd")))
    return any(folder.is_relative_to(shared) for shared in SHARED)


def _command(pid: str) -> str:
    try:
        # Of a zombie, which only waits to be asked for its exit code, the command line is empty.
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def _sockets() -> set[str]:
    return {target for fd in _entries(_FDS) if (target := _target(fd)).startswith("socket:")}


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.exists() else []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


@dataclass(frozen=True)
class Snapshot:
    """What there was when it was taken."""

    threads: set[str] = field(default_factory=_threads)
    children: set[str] = field(default_factory=_children)
    sockets: set[str] = field(default_factory=_sockets)

    def check(self) -> None:
        """Fails where there is more now. What is ending gets a moment for it."""
        _check("threads", lambda: _threads() - self.threads)
        _check("child processes", lambda: _children() - self.children)
        _check("connections", lambda: _sockets() - self.sockets)


def _check(what: str, left: Callable[[], set[str]]) -> None:
    deadline = time.monotonic() + _GRACE_SECONDS
    while found := left():
        if time.monotonic() >= deadline:
            raise AssertionError(f"the test left {what} behind: {sorted(found)}")
        time.sleep(0.01)


async def check_tasks() -> None:
    """Fails where asyncio tasks of the test are still there."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _GRACE_SECONDS
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        if loop.time() >= deadline:
            raise AssertionError(f"the test left tasks behind: {left}")
        await asyncio.sleep(0.005)


def check_containers() -> None:
    """Fails where a container of this process is still there."""
    from memlane.testing.servers.container import OWNER, engine, owner_of_this_process  # noqa: PLC0415  an extra

    with engine() as client:
        ours: dict[str, str | list[str] | bool] = {"label": f"{OWNER}={owner_of_this_process()}"}
        left = [one.name for one in client.containers.list(all=True, filters=ours)]
    assert not left, f"the tests left containers behind: {left}"
