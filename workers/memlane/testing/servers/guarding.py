"""The guard's program: waits for its owner's end, then ends what it was told of.

Each line on its standard input names a process group or a container. Its argument, if any, is a folder
to remove.
"""

import contextlib
import json
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from memlane.testing.servers.containers import remove_container
from memlane.testing.servers.errors import DockerFailed
from memlane.testing.servers.processes import Identity, end_group
from memlane.testing.servers.waiting import wait_until

REMOVAL_LIMIT = timedelta(seconds=10)


def main() -> None:
    """Read until the owner is gone, then end all that was named, the newest first."""
    watched = [json.loads(line) for line in sys.stdin]
    for what in reversed(watched):
        _end(what)
    if sys.argv[1:]:
        folder = Path(sys.argv[1])
        # Again and again: a server that another guard is ending may still write there.
        wait_until(lambda: _removed(folder), within=REMOVAL_LIMIT)


def _end(what: Mapping[str, Any]) -> None:  # Any: it is what JSON gave
    if "leader" in what:
        end_group(Identity(**what["leader"]), grace=timedelta(0))
    else:
        with contextlib.suppress(DockerFailed):  # nobody is left to tell
            remove_container(what["container"])


def _removed(folder: Path) -> bool:
    shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


if __name__ == "__main__":
    main()
