"""What the system knows of processes: from /proc where there is one, else from `ps`."""

import contextlib
import functools
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One process."""

    pid: int
    group: int
    started: str
    ended: bool
    """A zombie: only its exit status is left."""


def look_up(pid: int) -> Row | None:
    """The process with this pid, or None where there is none."""
    if _has_proc():
        return _from_proc(pid)
    return next(_from_ps("-p", str(pid)), None)


def members(group: int) -> list[int]:
    """The pids of the processes of a process group that still run."""
    rows = _all_from_proc() if _has_proc() else _from_ps("-A")
    return [row.pid for row in rows if row.group == group and not row.ended]


@functools.cache
def _has_proc() -> bool:
    return _PROC.joinpath("self", "stat").exists()


def _all_from_proc() -> Iterator[Row]:
    for entry in os.scandir(_PROC):
        if entry.name.isdigit() and (row := _from_proc(int(entry.name))) is not None:
            yield row


def _from_proc(pid: int) -> Row | None:
    try:
        text = _PROC.joinpath(str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses, which may hold spaces and parentheses itself. The
    # third on: state, parent, group, …; the twentieth is the number of threads, the twenty-second when it
    # started, in ticks since boot. A zombie with threads left still holds its ports and files.
    fields = text.rpartition(")")[2].split()
    ended = fields[0] in "ZX" and int(fields[17]) <= 1
    return Row(pid=pid, group=int(fields[2]), started=f"{_boot()}:{fields[19]}", ended=ended)


@functools.cache
def _boot() -> str:
    with contextlib.suppress(OSError):
        return _PROC.joinpath("sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
    return ""


def _from_ps(*which: str) -> Iterator[Row]:
    command = ["ps", *which, "-o", "pid=,pgid=,stat=,lstart="]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # only numbers vary
    for line in done.stdout.splitlines():
        pid, group, state, started = line.split(maxsplit=3)
        yield Row(pid=int(pid), group=int(group), started=started.strip(), ended=state.startswith("Z"))
