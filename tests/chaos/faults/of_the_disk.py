"""The disk under SQLite full."""

import asyncio

from tests.chaos.faults.fault import Fault


class FillDisk(Fault):
    """Nothing can be added to the SQLite sink's disk."""

    kind = "fill-disk"
    touches = frozenset({"disk"})
    lasts = (1.0, 6.0)

    async def begin(self) -> str:
        """See `Fault`."""
        pids = [worker.pid for worker in self.world.workers if worker.pid is not None]
        await asyncio.to_thread(self.world.disk.fill, pids)
        return self.world.disk.kind

    async def heal(self) -> None:
        """There is room again."""
        self.world.disk.clear()
