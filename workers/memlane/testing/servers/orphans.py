"""Ending what private servers have left whose owner and guard were both killed."""

import os
from collections.abc import Iterator
from pathlib import Path

from memlane.testing.servers.lease import Lease


def end_orphans() -> None:
    """End the private servers of this account whose owner is dead. Does nothing where there is no /proc.

    A server works in its data directory, where its lease says who owns it.
    """
    for folder in set(_folders()):
        Lease(folder).end_if_left_over()


def _folders() -> Iterator[Path]:
    try:
        names = os.listdir("/proc")  # noqa: PTH208  as quick as it can be: there may be thousands
    except OSError:
        return
    for name in names:
        if name.isdigit():
            try:
                folder = Path(f"/proc/{name}/cwd").readlink()
            except OSError:  # it has ended, or is somebody else's
                continue
            if Lease.is_in(folder):
                yield folder
