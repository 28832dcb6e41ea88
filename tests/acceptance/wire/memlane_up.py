"""`memlane up` as a process."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from urllib.error import URLError

from memlane.testing.servers.ports import free_ports
from tests.support.guarded import guarded

_READY_SECONDS: Final = 30
_STOP_SECONDS: Final = 20


@contextmanager
def memlane_up(folder: Path, environment: Mapping[str, str]) -> Iterator[None]:
    """Runs it until the block ends; ready inside of it.

    Args:
        folder: it runs in there, and logs to `memlane.log`.
        environment: its settings; those of the caller's environment do not reach it.
    """
    (port,) = free_ports(1)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MEMLANE_")}
    with (folder / "memlane.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603  # memlane itself
            [Path(sys.executable).with_name("memlane"), "up"],
            cwd=folder,
            env={
                **inherited,
                "MEMLANE_BACKUP_DIR": str(folder / "backups"),
                **environment,
                "MEMLANE_HEALTH_PORT": str(port),
            },
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    with guarded(process, folder):
        try:
            _wait_until_ready(process, port, folder / "memlane.log")
            yield
        finally:
            process.terminate()
            code = process.wait(_STOP_SECONDS)
    assert code == 0, f"memlane ended with {code}:\n{(folder / 'memlane.log').read_text()}"


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while not _is_ready(port):
        assert process.poll() is None, f"memlane did not start:\n{log.read_text()}"
        assert time.monotonic() < deadline, f"memlane is not ready in time:\n{log.read_text()}"
        time.sleep(0.05)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as response:
            return bool(response.status == 200)
    except (URLError, OSError):
        return False
