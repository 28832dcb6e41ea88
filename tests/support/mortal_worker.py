"""A lane in a process of its own, which ends when it applies certain commands: as by a bug in C code.

Run as a module, with the broker's URL and the path of the SQLite file.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from unittest.mock import patch

from memlane.contracts.command import AnyCommand, DeleteUser
from memlane.storage.outcome import Outcome
from memlane.storage.sqlite import SqliteSink
from memlane.workers.lane import Lane, subscription
from tests.support.system import worker_settings

DEADLY = "deadly"
"""What the namespace of a deadly command is."""

SUSPECT_AFTER = 3
POISON_AFTER = 1
"""Fewer than a real worker's, for each death takes a new process."""


class MortalSink(SqliteSink):
    """SQLite, until a deadly command comes."""

    async def apply(
        self, commands: Sequence[AnyCommand], now: datetime, *, repair: bool = False
    ) -> list[Outcome]:
        """Ends the process before anything of such a batch is applied."""
        if any(not isinstance(one, DeleteUser) and one.namespace == DEADLY for one in commands):
            os.kill(os.getpid(), signal.SIGKILL)
        return await super().apply(commands, now, repair=repair)


async def main(url: str, path: Path) -> None:
    """Applies what comes, until it is killed."""
    with (
        patch.object(subscription, "SUSPECT_AFTER", SUSPECT_AFTER),
        patch.object(subscription, "POISON_AFTER", POISON_AFTER),
    ):
        async with MortalSink(path) as sink:
            await Lane(sink, worker_settings(url, ["sqlite"])).run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
