"""Commands as processes that are forked from one which has imported everything.

Nine tenths of a short command's time go into imports: hundreds of commands would spend minutes on them. What
else a process has is its own: arguments, environment, folder, stdin, stdout, stderr and exit code.
"""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

_CONTEXT: Final = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.acceptance.preloaded"])


def start_forking() -> None:
    """Starts the process that forks. It ends with this one."""
    first = _CONTEXT.Process(target=int)
    first.start()
    first.join()


def run_forked(
    arguments: Sequence[str], *, folder: Path, environment: Mapping[str, str], stdin: bytes, limit: timedelta
) -> tuple[int, bytes, bytes]:
    """Runs `memlane` with these arguments to its end, away from any terminal.

    Returns:
        The exit code, and what it wrote to stdout and stderr.

    Raises:
        subprocess.TimeoutExpired: it was still running after the limit, and was killed.
    """
    with TemporaryDirectory() as name:
        streams = [Path(name) / stream for stream in ("in", "out", "err")]
        streams[0].write_bytes(stdin)
        process = _CONTEXT.Process(target=_be_memlane, args=(arguments, folder, dict(environment), streams))
        process.start()
        process.join(limit.total_seconds())
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(list(arguments), limit.total_seconds())
        code = process.exitcode
        process.close()
        return code, streams[1].read_bytes(), streams[2].read_bytes()


def _be_memlane(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Path]
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    for number, stream in enumerate(streams):
        opened = os.open(stream, os.O_RDWR | os.O_CREAT)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)  # noqa: SIM115
    from memlane.producers.cli.main import main  # noqa: PLC0415  # imported before the fork, and only there

    sys.argv = ["memlane", *arguments]
    main()
